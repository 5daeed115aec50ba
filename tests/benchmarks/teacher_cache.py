"""What a step of distillation costs when the teacher's logits are on disk.

    python -m tests.benchmarks.teacher_cache --help

One student, one process and the same batches: trained on labels alone, and
distilled from cached logits. The two take turns, so that a busy machine slows
both. Then hidden states are cached and read, to see what memory that takes.
"""

import argparse
import os
import pathlib
import statistics
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
import numpy as np
from rich.console import Console
from rich.table import Table

import keras_distill
from keras_distill import losses
from keras_distill import tasks
from keras_distill import teachers
from tests.benchmarks.memory import peak_memory
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_GLUE = pathlib.Path(__file__).resolve().parents[3] / "shared/data/glue"
_WORDS = 1000
_SEED = 0
_PLAIN = "labels alone"
_CACHED = "cached logits"
_LIVE = "a living teacher"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. Seconds of an epoch on cached logits over those of plain
        training.
    """
    options = _parse(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    examples = _examples(options)
    teacher = _classifier(options.teacher, options.length)
    with tempfile.TemporaryDirectory() as folder:
        cache = teachers.TeacherCache.write(
            f"{folder}/logits", teacher, examples
        )
        fits = _fits(options, teacher, cache, examples)
        seconds = take_turns(fits, options.runs, console)
        longer = _report(seconds, options, console)
        _report_memory(folder, teacher, examples, options, console)
    return longer


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.teacher_cache",
        description="Compares training on cached logits and on labels alone.",
    )
    parser.add_argument(
        "--glue-dir",
        default=_GLUE if _GLUE.is_dir() else None,
        help="folder with SST-2 (default: ../shared/data/glue; the film "
        "reviews where there is no such folder)",
    )
    for name, default, what in (
        ("examples", 2000, "rows of the training split"),
        ("batch-size", 32, "rows per batch"),
        ("length", 64, "most tokens per row"),
        ("runs", 5, "epochs of each kind"),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=default,
            help=f"{what} (default: %(default)s)",
        )
    for name, default in (("teacher", (6, 384)), ("student", (3, 192))):
        parser.add_argument(
            f"--{name}",
            type=int,
            nargs=2,
            default=default,
            metavar=("LAYERS", "WIDTH"),
            help="(default: %(default)s)",
        )
    return parser.parse_args(arguments)


def _examples(options):
    """The tokenised rows, over a vocabulary of their most frequent words."""
    if options.glue_dir is None:
        _, splits = tasks.load("film_reviews")
    else:
        _, splits = tasks.load("sst2", options.glue_dir)
    rows = splits["train"].take(options.examples)
    words = " ".join(rows.texts[0]).lower().split()
    names, counts = np.unique(words, return_counts=True)
    frequent = names[np.argsort(-counts, kind="stable")][:_WORDS]
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *frequent.tolist()],
        lowercase=True,
    )
    return tasks.TokenizedExamples(rows, tokenizer, options.length)


def _classifier(sizes, length):
    num_layers, width = sizes
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=_WORDS + 5,
        num_layers=num_layers,
        num_heads=max(1, width // 64),
        hidden_dim=width,
        intermediate_dim=4 * width,
        max_sequence_length=length,
    )
    # Without a preprocessor, `fit` takes token ids.
    return keras_hub.models.BertTextClassifier(backbone, num_classes=2)


def _fits(options, teacher, cache, examples):
    """Functions that train for an epoch, by what they train on."""
    plain = _compile(_classifier(options.student, options.length))

    def distiller(source):
        return _compile(
            keras_distill.Distiller(
                source,
                _classifier(options.student, options.length),
                [losses.LogitsDistillation(temperature=2.0)],
            )
        )

    def fit(model, rows):
        batches = rows.batches(options.batch_size, shuffle=True, seed=_SEED)
        return lambda: model.fit(batches, shuffle=False, verbose=0)

    return {
        _PLAIN: fit(plain, examples),
        _CACHED: fit(distiller(cache), cache.attach(examples)),
        _LIVE: fit(distiller(teacher), examples),
    }


def _compile(model):
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # XLA would compile anew for every length.
        jit_compile=False,
    )
    return model


def _report(seconds, options, console):
    """Prints the table; returns how much longer cached logits take."""
    table = Table(
        title=f"{options.student[0]} x {options.student[1]} student, "
        f"{options.examples:,} examples in batches of {options.batch_size}, "
        f"teacher {options.teacher[0]} x {options.teacher[1]}"
    )
    table.add_column("trained on")
    for column in ("seconds an epoch", "fastest to slowest", "ratio"):
        table.add_column(column, justify="right")
    medians = {kind: statistics.median(x) for kind, x in seconds.items()}
    for kind, times in seconds.items():
        table.add_row(
            kind,
            f"{medians[kind]:.2f}",
            f"{min(times):.2f} to {max(times):.2f}",
            f"{ratio(seconds, kind, _PLAIN):.2f}",
        )
    longer = ratio(seconds, _CACHED, _PLAIN)
    console.print(table)
    console.print(
        f"Distilling from cached logits takes {longer:.2f} times as long as "
        "plain training."
    )
    return longer


def _report_memory(folder, teacher, examples, options, console):
    """Prints what memory it takes to write and read hidden states."""
    tenth = examples.select(np.arange(max(1, len(examples) // 10)))
    _write_and_read(f"{folder}/tenth", teacher, tenth, options)
    before = peak_memory()
    size = _write_and_read(f"{folder}/all", teacher, examples, options)
    console.print(
        f"Writing and reading {size / 1e6:,.0f} MB of hidden states took "
        f"{(peak_memory() - before) / 1e6:,.0f} MB more memory than a tenth "
        "of them."
    )


def _write_and_read(path, teacher, examples, options):
    cache = teachers.TeacherCache.write(
        path,
        teacher,
        examples,
        features="hidden_states",
        dtype="float16",
        shard_size=256,
    )
    attached = cache.attach(examples)
    for batch in attached.iterate(options.batch_size, shuffle=True):
        del batch
    return sum(file.stat().st_size for file in cache.path.iterdir())


if __name__ == "__main__":
    main()

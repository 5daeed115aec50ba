"""What memory it takes to learn attention from a teacher.

    python -m tests.benchmarks.attention_memory --help

The same student learns hidden states and attention for an epoch of some rows,
and then for an epoch of many times as many, in one process. Attention grows
with the square of the length, times heads and layers: kept for a data set it
would be by far the most of it. It is computed batch by batch, so the second
epoch's peak is that of the first but for the token ids.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from rich.console import Console
from rich.table import Table

import keras_distill
from keras_distill import losses
from keras_distill import tasks
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.memory import peak_memory
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_texts import make_examples
from tests.benchmarks.random_texts import make_tokenizer

_SEED = 0
_MB = 1e6


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        Tuple of float: bytes that the longer epoch took beyond the shorter
        one, and bytes of the teacher's attention for its rows.
    """
    options = _parse(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    distiller = _distiller(options)
    rows = _rows(options)
    few = options.steps * options.batch_size
    many = few * options.times
    table = Table("examples", "attention scores, MB", "peak memory, MB")
    peaks = []
    for count in (few, many):
        console.print(f"Epoch of {count:,} examples...")
        distiller.fit(
            rows(count).batches(
                options.batch_size, fixed_length=options.length
            ),
            verbose=0,
        )
        peaks.append(peak_memory())
        table.add_row(
            f"{count:,}",
            f"{_attention_bytes(options, count) / _MB:,.0f}",
            f"{peaks[-1] / _MB:,.0f}",
        )
    more, kept = peaks[1] - peaks[0], _attention_bytes(options, many)
    console.print(table)
    console.print(
        f"{options.times} times the examples took {more / _MB:,.0f} MB more "
        f"memory; the teacher's attention for them has {kept / _MB:,.0f} MB."
    )
    return more, kept


def _parse(arguments):
    parser = make_parser(
        "attention_memory",
        "Shows the peak memory of learning attention from a teacher.",
    )
    parser.add_argument(
        "--times",
        type=int,
        default=10,
        help="how many times as many examples the second epoch has "
        "(default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _distiller(options):
    distiller = keras_distill.Distiller(
        make_classifier(options.teacher, options),
        make_classifier(options.student, options),
        [
            losses.HiddenStatesDistillation(projection="per_layer"),
            losses.AttentionDistillation(),
        ],
        student_loss_weight=0,
    )
    return compile_model(distiller)


def _rows(options):
    """What makes a data set of so many rows."""
    tokenizer = make_tokenizer(options)
    return lambda count: tasks.TokenizedExamples(
        make_examples(count, options), tokenizer, options.length
    )


def _attention_bytes(options, count):
    """Bytes of the teacher's attention scores in float32."""
    num_layers, _ = options.teacher
    return 4 * count * num_layers * options.heads * options.length**2


if __name__ == "__main__":
    main()

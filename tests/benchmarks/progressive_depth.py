"""What a step of progressive knowledge transfer costs in each of its phases.

    python -m tests.benchmarks.progressive_depth --help

In a phase teacher and student are computed as deep as the active layer, which
alone has a backward pass: the cost of a step grows with the layer. After the
phases of the layers comes that of everything. The phases take turns.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from rich.console import Console

import keras_distill
from keras_distill import callbacks
from keras_distill import losses
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_batches import make_batches
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. Seconds of a step in the first phase over those of one in the
        last layer's.
    """
    options = make_parser(
        "progressive_depth",
        "Shows what a step of progressive transfer costs in each phase.",
        student=(6, 384),
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    ways = _phases(options)
    seconds = take_turns(ways, options.runs, console)
    first, *_, last, _ = ways
    print_steps(
        console,
        f"progressive transfer: {describe_sizes(options)}",
        seconds,
        options,
        last,
    )
    result = ratio(seconds, first, last)
    console.print(
        f"The first phase: {result:.2f} times the time of the last layer's."
    )
    return result


def _phases(options):
    """Functions that train for a run, one for each phase."""
    teacher = make_classifier(options.teacher, options)
    batches = make_batches(options, labelled=False)
    ways = {}
    for phase in range(options.student[0] + 1):
        distiller = _make_distiller(teacher, options)
        transfer = callbacks.ProgressiveKnowledgeTransfer(epochs=1)
        plan = transfer.plan(distiller)
        transfer.set_model(distiller)
        # Its hooks are called here, so that each run is in the same phase.
        transfer.on_train_begin()
        transfer.on_epoch_begin(phase)
        ways[plan[phase].split(": ")[1]] = _training(distiller, batches)
    return ways


def _make_distiller(teacher, options):
    return compile_model(
        keras_distill.Distiller(
            teacher,
            make_classifier(options.student, options),
            [
                losses.HiddenStatesDistillation(projection="per_layer"),
                losses.AttentionDistillation(),
                losses.LogitsDistillation(),
            ],
            student_loss_weight=0,
        )
    )


def _training(distiller, batches):
    return lambda: distiller.fit(batches, shuffle=False, verbose=0)


if __name__ == "__main__":
    main()

"""What frozen layers and layers above the last loss cost.

    python -m tests.benchmarks.frozen_layers --help

First the student's lower layers are frozen: what lies below the lowest layer
that trains needs no backward pass. Then one layer of each model is matched
and nothing else: what lies above needs no forward pass. Each set takes turns.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from rich.console import Console

import keras_distill
from keras_distill import layer_map
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
    """Runs the benchmark and prints its tables.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        tuple of two float: seconds of a step with all but the top layer
        frozen over those with none frozen, and of a step that matches the
        first layer over those of one that matches the last.
    """
    options = _parse(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    teacher = make_classifier(options.teacher, options)
    frozen = _measure(
        "frozen layers of the student",
        _freezing(teacher, options),
        options,
        console,
    )
    matched = _measure(
        "matched layer", _matching(teacher, options), options, console
    )
    console.print(
        f"All but the top layer frozen: {frozen:.2f} times the time of none. "
        f"The first layer matched: {matched:.2f} times the time of the last."
    )
    return frozen, matched


def _parse(arguments):
    parser = make_parser(
        "frozen_layers",
        "Shows what frozen layers and layers above the last loss cost.",
        student=(6, 384),
    )
    options = parser.parse_args(arguments)
    if options.student[0] < 2:
        parser.error("--student must have 2 layers or more")
    return options


def _measure(title, ways, options, console):
    """The time of the cheapest way, the last, over that of the first."""
    first, *_, last = ways
    seconds = take_turns(ways, options.runs, console)
    print_steps(
        console, f"{title}: {describe_sizes(options)}", seconds, options, first
    )
    return ratio(seconds, last, first)


def _freezing(teacher, options):
    """Functions that train for a run, by the layers that are frozen."""
    num_layers = options.student[0]
    batches = make_batches(options)
    ways = {}
    for count in sorted({0, num_layers // 2, num_layers - 1}):
        student = make_classifier(options.student, options)
        _freeze(student.backbone, count)
        distiller = keras_distill.Distiller(
            teacher, student, [losses.LogitsDistillation()]
        )
        ways[f"{count} of {num_layers}"] = _training(distiller, batches)
    return ways


def _freeze(backbone, count):
    """Freezes the embeddings and so many layers above them."""
    if count == 0:
        return
    trained = {*backbone.transformer_layers[count:], backbone.pooled_dense}
    for layer in backbone.layers:
        layer.trainable = layer in trained


def _matching(teacher, options):
    """Functions that train for a run, by the layers that are matched."""
    num_layers = options.student[0]
    batches = make_batches(options, labelled=False)
    ways = {}
    for layer in sorted({num_layers, -(-num_layers // 2), 1}, reverse=True):
        teacher_layer = max(1, layer * options.teacher[0] // num_layers)
        pair = layer_map.explicit({layer: teacher_layer})
        distiller = keras_distill.Distiller(
            teacher,
            make_classifier(options.student, options),
            [losses.HiddenStatesDistillation(pair)],
            student_loss_weight=0,
        )
        name = f"student {layer}, teacher {teacher_layer}"
        ways[name] = _training(distiller, batches)
    return ways


def _training(distiller, batches):
    compile_model(distiller)
    return lambda: distiller.fit(batches, shuffle=False, verbose=0)


if __name__ == "__main__":
    main()

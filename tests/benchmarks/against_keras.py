"""Training speed against `keras.distillation.Distiller`.

    python -m tests.benchmarks.against_keras --help

The two get the same loss objects of `keras.distillation`, the same teacher,
equal students and the same batches, and take turns. Losses are soft targets
and one feature of equal width, which is all that `keras.distillation` can say
of a transformer, and it takes a model whose layers are not nested.
"""

import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
from rich.console import Console

import keras_distill
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_batches import make_batches
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_KERAS = "keras.distillation"
_OURS = "keras_distill"
_CLASSES = {
    _KERAS: keras.distillation.Distiller,
    _OURS: keras_distill.Distiller,
}


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. Examples per second over those of `keras.distillation`.
    """
    options = _parse(arguments)
    console = Console()
    _check_equal_losses(options)
    seconds = take_turns(_ways(options), options.runs, console)
    print_steps(console, describe_sizes(options), seconds, options, _KERAS)
    faster = ratio(seconds, _KERAS, _OURS)
    console.print(f"{_OURS} trains {faster:.2f} times as fast as {_KERAS}.")
    return faster


def _parse(arguments):
    parser = make_parser(
        "against_keras",
        "Compares training speed with keras.distillation.Distiller.",
        student=(3, 384),
    )
    options = parser.parse_args(arguments)
    if options.teacher[1] != options.student[1]:
        parser.error("keras.distillation matches equal widths only")
    return options


def _ways(options):
    """Functions that train for a run, by the distiller they use."""
    batches = _batches(options)

    def train(distiller):
        return lambda: distiller.fit(batches, shuffle=False, verbose=0)

    return {
        name: train(distiller)
        for name, distiller in _distillers(options, dropout=0.1).items()
    }


def _check_equal_losses(options):
    """Raises if the two do not compute the same loss."""
    x, y = next(iter(_batches(options)))
    values = {
        # `keras.distillation` has dropout on in the features whatever it is
        # told, so there is none.
        name: float(distiller.compute_loss(x, y, training=False))
        for name, distiller in _distillers(options, dropout=0.0).items()
    }
    if not math.isclose(values[_KERAS], values[_OURS], rel_tol=1e-4):
        raise ValueError(f"The losses differ: {values}.")


def _batches(options):
    return make_batches(options).map(lambda x, y: (x["token_ids"], y))


def _distillers(options, dropout):
    """Compiled distillers with equal students and one teacher, by name."""
    keras.utils.set_random_seed(_SEED)
    teacher = _make_model(options.teacher, options, dropout)

    def make(distiller_class):
        keras.utils.set_random_seed(_SEED)
        distiller = distiller_class(
            teacher=teacher,
            student=_make_model(options.student, options, dropout),
            distillation_losses=_make_losses(options),
        )
        return compile_model(distiller)

    return {name: make(kind) for name, kind in _CLASSES.items()}


def _make_losses(options):
    return [
        keras.distillation.LogitsDistillation(
            # Its default, a string, leaves the softmax out.
            temperature=2.0,
            loss=keras.losses.KLDivergence(),
        ),
        keras.distillation.FeatureDistillation(
            loss="mse",
            teacher_layer_name=_layer_name(options.teacher[0]),
            student_layer_name=_layer_name(options.student[0]),
        ),
    ]


def _make_model(sizes, options, dropout):
    """A classifier whose transformer layers are layers of the model."""
    num_layers, width = sizes
    token_ids = keras.Input((None,), dtype="int32")
    x = keras_hub.layers.TokenAndPositionEmbedding(
        options.vocabulary_size, options.length, width
    )(token_ids)
    for layer in range(1, num_layers + 1):
        x = keras_hub.layers.TransformerEncoder(
            intermediate_dim=4 * width,
            num_heads=options.heads,
            dropout=dropout,
            name=_layer_name(layer),
        )(x)
    return keras.Model(token_ids, keras.layers.Dense(2)(x[:, 0]))


def _layer_name(layer):
    return f"encoder_{layer}"


if __name__ == "__main__":
    main()

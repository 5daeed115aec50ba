"""How much of a device's arithmetic training makes use of.

    KERAS_BACKEND=jax python -m tests.benchmarks.accelerator --help

Teacher inference, plain training of the student and a step with all of
TinyBERT's losses take turns on whatever device the backend finds.
"""

import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from rich.console import Console
from rich.table import Table

import keras_distill
from keras_distill import losses
from keras_distill.evaluation.environment import hardware
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_batches import make_arrays
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.turns import take_turns

_SEED = 0
_TEACHER = "teacher inference"
_STUDENT = "student training"
_DISTILLED = "distillation"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. Floating-point operations per second of distillation.
    """
    options = _parse(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    teacher, student = (
        make_classifier(sizes, options, options.dtype)
        for sizes in (options.teacher, options.student)
    )
    ways = _ways(options, teacher, student)
    seconds = take_turns(ways, options.runs, console)
    return _report(seconds, _operations(teacher, student), options, console)


def _parse(arguments):
    parser = make_parser(
        "accelerator",
        "Prints tokens per second and the share of peak arithmetic reached.",
        steps=100,
    )
    parser.add_argument(
        "--peak-tflops",
        type=float,
        help="the device's peak at this dtype, in 10^12 operations a second, "
        "from its data sheet (default: none, no share is printed)",
    )
    parser.add_argument(
        "--dtype",
        default="float32",
        help="dtype policy of both models, such as mixed_bfloat16 "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--jit-compile",
        action="store_true",
        help="compile with XLA (JAX always does)",
    )
    parser.add_argument(
        "--steps-per-execution",
        type=int,
        default=1,
        help="steps in one call of the backend (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _ways(options, teacher, student):
    """Functions that do a run of steps, by what they do."""
    distiller = keras_distill.Distiller(
        teacher,
        make_classifier(options.student, options, options.dtype),
        [
            losses.EmbeddingsDistillation(),
            losses.HiddenStatesDistillation(),
            losses.AttentionDistillation(),
            losses.LogitsDistillation(),
        ],
    )
    for model in (teacher, student, distiller):
        jit_compile = options.jit_compile or keras.backend.backend() == "jax"
        compile_model(model, jit_compile, options.steps_per_execution)
    x, y = make_arrays(options)
    size = options.batch_size

    def train(model):
        return lambda: model.fit(
            x, y, batch_size=size, shuffle=False, verbose=0
        )

    return {
        _TEACHER: lambda: teacher.predict(x, batch_size=size, verbose=0),
        _STUDENT: train(student),
        _DISTILLED: train(distiller),
    }


def _operations(teacher, student):
    """Functions of a row's length: operations on a row, by what is done.

    A backward pass counts twice its forward pass. What losses compute is not
    counted, nor the optimizer's work.
    """

    def inference(length):
        return _forward(teacher.backbone, length)

    def training(length):
        return 3 * _forward(student.backbone, length)

    return {
        _TEACHER: inference,
        _STUDENT: training,
        _DISTILLED: lambda length: inference(length) + training(length),
    }


def _forward(backbone, length):
    """Operations of a forward pass on one row.

    A multiplication and an addition for each weight of a layer and token, and
    in each layer `4 L^2 D` for the scores and the weighted sum of attention.
    Embeddings are looked up, which is no arithmetic.
    """
    weights = sum(x.count_params() for x in backbone.transformer_layers)
    attention = 4 * length**2 * backbone.hidden_dim * backbone.num_layers
    return 2 * weights * length + attention


def _report(seconds, operations, options, console):
    """Prints the table; returns the operations per second of distillation."""
    devices = ", ".join(hardware()["accelerators"]) or hardware()["processor"]
    table = Table(
        title=f"{keras.backend.backend()} on {devices}, {options.dtype}: "
        f"{describe_sizes(options)}"
    )
    table.add_column("")
    for column in ("examples/s", "tokens/s", "TFLOP/s", "of the peak"):
        table.add_column(column, justify="right")
    speeds = {}
    for kind, times in seconds.items():
        rows = options.steps * options.batch_size / statistics.median(times)
        speeds[kind] = rows * operations[kind](options.length)
        table.add_row(
            kind,
            f"{rows:,.0f}",
            f"{rows * options.length:,.0f}",
            f"{speeds[kind] / 1e12:,.3f}",
            _share(speeds[kind], options.peak_tflops),
        )
    console.print(table)
    return speeds[_DISTILLED]


def _share(speed, peak_tflops):
    return "" if peak_tflops is None else f"{speed / 1e12 / peak_tflops:.1%}"


if __name__ == "__main__":
    main()

"""What a step of this library's AdamW takes, against Keras's own.

    python -m tests.benchmarks.optimizer_step --help

Both move one table of words with the gradient of a batch, clipped and decayed
as BERT's. They take turns, and their CPU time is compared.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from rich.console import Console

from keras_distill import optimizers
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_OURS, _KERAS = "keras_distill's AdamW", "Keras's AdamW"
_COUNTS = (
    ("words", 30522, "rows of the table"),
    ("width", 132, "columns of the table"),
    ("tokens", 512, "tokens of a batch"),
    ("steps", 20, "steps per run"),
    ("runs", 5, "runs of each kind"),
)


def main(arguments=None):
    """Runs the benchmark and prints its result.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. The CPU time of a step over that of Keras's own.
    """
    options = _parse(arguments)
    seconds = take_turns(
        {
            _OURS: _steps(optimizers.AdamW, options),
            _KERAS: _steps(keras.optimizers.AdamW, options),
        },
        options.runs,
        Console(),
        time.process_time,
    )
    share = ratio(seconds, _OURS, _KERAS)
    ours, other = (
        1e3 * min(seconds[name]) / options.steps for name in (_OURS, _KERAS)
    )
    print(
        f"A step of AdamW on {options.words:,} x {options.width} takes "
        f"{share:.2f} times the CPU time of Keras's own: {ours:.1f} ms, and "
        f"{other:.1f}"
    )
    return share


def _steps(make, options):
    """A function that makes the steps of one run."""
    import tensorflow as tf

    generator = np.random.default_rng(_SEED)
    shape = (options.words, options.width)
    table = keras.Variable(np.zeros(shape, "float32"), name="words")
    optimizer = make(1e-3, weight_decay=0.01, clipnorm=1.0)
    optimizer.build([table])
    rows = generator.integers(0, options.words, options.tokens)
    values = generator.normal(size=(options.tokens, options.width))

    @tf.function
    def step(rows, values):
        gradient = tf.IndexedSlices(values, rows, tf.constant(shape))
        optimizer.apply([gradient], [table])

    rows, values = tf.constant(rows), tf.constant(values, "float32")

    def run():
        for _ in range(options.steps):
            step(rows, values)

    return run


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.optimizer_step",
        description="Compares a step of AdamW with Keras's own.",
    )
    for name, default, what in _COUNTS:
        parser.add_argument(
            f"--{name}",
            type=int,
            default=default,
            help=f"{what} (default: %(default)s)",
        )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

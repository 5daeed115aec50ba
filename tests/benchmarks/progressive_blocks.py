"""What the whole progressive phase of a MobileBERT costs.

    python -m tests.benchmarks.progressive_blocks --help

Block by block, teacher and student are computed as deep as the active block.
The steps of all phases together are compared with as many in which all blocks
of both are computed, all losses count and everything is trained. Not every
phase is measured: the cost of those between is interpolated. Phases take
turns, and their CPU time is compared, which does not depend on what else the
machine does.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from rich.console import Console

import keras_distill
from keras_distill import callbacks
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_batches import make_batches
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import take_turns

_SEED = 0
_EVERYTHING = "all blocks"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. CPU time of the whole progressive phase over that of as many
        steps with all blocks.
    """
    parser = make_parser(
        "progressive_blocks",
        "Compares all phases of progressive transfer with steps that compute "
        "all blocks. WIDTH is that inside of a block.",
        # A quarter of the published widths.
        teacher=(24, 256),
        student=(24, 32),
        heads=4,
        vocabulary_size=1000,
        batch_size=8,
        steps=10,
        runs=2,
    )
    parser.add_argument(
        "--hidden-dim",
        type=int,
        default=128,
        help="width between blocks (default: %(default)s)",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=12,
        help="blocks from one measured phase to the next "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--done-rate",
        type=float,
        default=0.1,
        help="fraction of the rate at which blocks that are done go on; 0 "
        "freezes them (default: %(default)s)",
    )
    parser.add_argument(
        "--eager",
        action="store_true",
        help="run step by step: 24 blocks take minutes to compile",
    )
    options = parser.parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    blocks = options.student[0]
    measured = sorted({1, *range(options.every, blocks, options.every), blocks})
    ways = {f"block {block}": _phase(options, block) for block in measured}
    ways[_EVERYTHING] = _phase(options)
    seconds = take_turns(ways, options.runs, console, time.process_time)
    print_steps(
        console,
        f"CPU time; {blocks} blocks, teacher {options.teacher[1]} and student "
        f"{options.student[1]} wide, {options.hidden_dim} between blocks, "
        f"batches of {options.batch_size} x {options.length} tokens",
        seconds,
        options,
        _EVERYTHING,
    )
    of_phases = zip(
        *(seconds[f"block {block}"] for block in measured), strict=True
    )
    result = statistics.median(
        np.interp(range(1, blocks + 1), measured, times).mean() / everything
        for times, everything in zip(
            of_phases, seconds[_EVERYTHING], strict=True
        )
    )
    console.print(
        f"The whole progressive phase takes {result:.2f} times the CPU time of "
        f"as many steps with all blocks ({len(measured)} of {blocks} phases "
        "measured)."
    )
    return result


def _phase(options, block=None):
    """A function that trains for a run: one block, or all of them."""
    distiller = keras_distill.Distiller(
        _make_model("ib_bert_large", options.teacher, options),
        _make_model("mobilebert", options.student, options),
        [losses.FeatureMapTransfer(), losses.AttentionDistillation(loss="kl")],
        student_loss_weight=0,
    )
    # The models' cost is what is asked for; nothing moves, so nothing diverges.
    optimizer = optimizers.RateScaleOptimizer(keras.optimizers.SGD(0.0))
    distiller.compile(optimizer, run_eagerly=options.eager)
    if block is not None:
        transfer = callbacks.ProgressiveKnowledgeTransfer(
            epochs=1, done_rate=options.done_rate
        )
        transfer.set_model(distiller)
        # Its hooks are called here, so that each run is in the same phase.
        transfer.on_train_begin()
        transfer.on_epoch_begin(block - 1)
    batches = make_batches(options, labelled=False)
    return lambda: distiller.fit(batches, shuffle=False, verbose=0)


def _make_model(name, sizes, options):
    num_layers, width = sizes
    return models.MobileBertBackbone.from_preset(
        name,
        load_weights=False,
        vocabulary_size=options.vocabulary_size,
        num_layers=num_layers,
        num_heads=options.heads,
        embedding_dim=options.hidden_dim // 4,
        hidden_dim=options.hidden_dim,
        intra_dim=width,
        intermediate_dim=4 * width,
        max_sequence_length=options.length,
    )


if __name__ == "__main__":
    main()

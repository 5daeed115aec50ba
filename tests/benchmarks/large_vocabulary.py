"""What it costs to factorize the words of a multilingual teacher.

    python -m tests.benchmarks.large_vocabulary --help

One call of `factorize_embeddings` on a random table whose singular values fall
slowly, as those of a trained one do. Memory is that of the whole process: what
it held before the call, and the most it held until the end.
"""

import argparse
import os
import resource
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_hub
import numpy as np

from keras_distill import students

_SEED = 0
# Linux counts in KiB.
_GIB = 2**20


def main(arguments=None):
    """Runs the benchmark and prints its result.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        Tuple of float: seconds, and GiB that the call took at its peak.
    """
    options = _parse(arguments)
    teacher = keras_hub.models.BertBackbone(
        vocabulary_size=options.words,
        num_layers=1,
        num_heads=1,
        hidden_dim=options.teacher_width,
        intermediate_dim=options.teacher_width,
    )
    _fill(teacher.token_embedding.embeddings)
    student = students.create_student(teacher, hidden_dim=options.student_width)
    before = _resident()
    start = time.perf_counter()
    students.factorize_embeddings(teacher, student, method=options.method)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB
    print(
        f"{options.words:,} x {options.teacher_width} -> "
        f"{options.student_width}, {options.method}: {seconds:.1f} s; "
        f"{before:.2f} GiB before, {peak:.2f} GiB at the peak"
    )
    return seconds, peak - before


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.large_vocabulary",
        description="Shows what it costs to factorize a large vocabulary.",
    )
    for name, default in (
        ("words", 120_000),
        ("teacher-width", 768),
        ("student-width", 384),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=default,
            help="(default: %(default)s)",
        )
    parser.add_argument(
        "--method",
        default="auto",
        choices=("auto", "exact", "randomized"),
        help="(default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _fill(table):
    words, width = table.shape
    generator = np.random.default_rng(_SEED)
    values = generator.standard_normal((words, width), dtype="float32")
    values *= np.linspace(0.05, 0.02, width, dtype="float32")
    table.assign(values)


def _resident():
    """GiB that the process holds now."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() / 2**30


if __name__ == "__main__":
    main()

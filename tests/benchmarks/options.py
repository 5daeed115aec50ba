"""The command line that benchmarks on random data have in common."""

import argparse

_COUNTS = (
    ("steps", 20, "training steps per run"),
    ("runs", 5, "runs of each kind"),
    ("batch-size", 32, "rows per batch"),
    ("length", 64, "tokens per row"),
    ("vocabulary-size", 30522, "token ids of both models"),
    ("heads", 12, "attention heads of both models"),
)
_MODELS = (("teacher", (6, 384)), ("student", (3, 192)))


def make_parser(module, description, **defaults):
    """Builds a parser with the sizes of data and models.

    Args:
        module: str. Name of the benchmark's file.
        description: str. What it does, for `--help`.
        **defaults: Values in place of the usual ones, by option.

    Returns:
        `argparse.ArgumentParser`.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks.{module}", description=description
    )
    for name, default, what in _COUNTS:
        parser.add_argument(
            f"--{name}",
            type=int,
            default=default,
            help=f"{what} (default: %(default)s)",
        )
    for name, default in _MODELS:
        parser.add_argument(
            f"--{name}",
            type=int,
            nargs=2,
            default=default,
            metavar=("LAYERS", "WIDTH"),
            help="(default: %(default)s)",
        )
    parser.set_defaults(**defaults)
    return parser

"""The table that a benchmark prints."""

import statistics

from rich.table import Table

from tests.benchmarks.turns import ratio


def print_steps(console, title, seconds, options, baseline):
    """Prints what a step costs, for each of several ways.

    Args:
        console: `rich.console.Console`.
        title: str.
        seconds: dict of name to list of float, the seconds of each run of
            `options.steps` steps.
        options: Namespace of `options.make_parser`.
        baseline: str. The way that the others are compared with.
    """
    medians = {
        name: statistics.median(times) / options.steps
        for name, times in seconds.items()
    }
    table = Table(title=title)
    table.add_column("")
    for column in (
        "ms a step",
        "fastest to slowest",
        "examples/s",
        "time ratio",
    ):
        table.add_column(column, justify="right")
    for name, times in seconds.items():
        fastest, slowest = (
            1e3 * x / options.steps for x in (min(times), max(times))
        )
        table.add_row(
            name,
            f"{1e3 * medians[name]:,.1f}",
            f"{fastest:,.1f} to {slowest:,.1f}",
            f"{options.batch_size / medians[name]:,.0f}",
            f"{ratio(seconds, name, baseline):.2f}",
        )
    console.print(table)


def describe_sizes(options):
    """What is compared, in a line for a title.

    Args:
        options: Namespace of `options.make_parser`.
    """
    teacher, student = (
        f"{layers} x {width}"
        for layers, width in (options.teacher, options.student)
    )
    return (
        f"teacher {teacher}, student {student}, {options.heads} heads, "
        f"batches of {options.batch_size} x {options.length} tokens"
    )

"""Times several ways to do the same, which take turns."""

import statistics
import time

from keras_distill.io.progress import Progress


def take_turns(ways, runs, console, clock=time.perf_counter):
    """Runs all ways one after the other, again and again.

    They take turns so that a busy machine slows all of them: see `ratio`. A
    first run of each, which compiles, is not measured.

    Args:
        ways: dict of name to function without arguments.
        runs: int. Measured runs of each.
        console: `rich.console.Console` for the progress.
        clock: function that gives seconds. Defaults to `time.perf_counter`.

    Returns:
        dict of name to list of float, the seconds of each run.
    """
    seconds = {name: [] for name in ways}
    with Progress(
        "Measuring", len(ways) * (runs + 1), unit="runs", console=console
    ) as progress:
        for run in range(runs + 1):
            for name, way in ways.items():
                progress.describe(f"Run {run}: {name}" if run else "Warm-up")
                start = clock()
                way()
                if run:
                    seconds[name].append(clock() - start)
                progress.advance()
    return seconds


def ratio(seconds, way, baseline):
    """How much longer one way takes than another.

    The median of the ratios of each turn: what slows a machine for longer
    than a turn slows both.

    Args:
        seconds: dict of name to list of float, as `take_turns` gives it.
        way: str.
        baseline: str. The way to compare it with.

    Returns:
        float.
    """
    pairs = zip(seconds[way], seconds[baseline], strict=True)
    return statistics.median(one / other for one, other in pairs)

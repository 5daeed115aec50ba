"""Progress shows up when the wait is long, and never when quiet."""

import io

from rich.console import Console

from keras_distill.io import progress as module
from keras_distill.io.progress import Progress


def printed(monkeypatch, seconds, is_terminal=False, **arguments):
    """What is printed when batches of 10 are done at these seconds."""
    now = iter([0.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    clock = [next(now)]
    output = io.StringIO()
    console = Console(file=output, force_terminal=is_terminal, width=99)
    with Progress("Features", 100, console=console, **arguments) as progress:
        for clock[0] in seconds:
            progress.advance(10)
    return output.getvalue()


def test_nothing_in_the_first_seconds(monkeypatch):
    assert printed(monkeypatch, [1, 2, 4.9]) == ""


def test_a_line_now_and_then_in_a_log(monkeypatch):
    assert printed(monkeypatch, [4, 8, 12, 16, 20, 24, 28]) == (
        "Features: 20 of 100 examples, 0:32 left\n"
        "Features: 70 of 100 examples, 0:12 left\n"
    )


def test_another_unit(monkeypatch):
    shown = printed(monkeypatch, [6], unit="bytes")
    assert shown == "Features: 10 of 100 bytes, 0:54 left\n"


def test_what_was_done_before_says_nothing_of_the_speed(monkeypatch):
    assert printed(monkeypatch, [4, 8], done=60) == (
        "Features: 80 of 100 examples, 0:08 left\n"
    )


def test_a_bar_in_a_terminal(monkeypatch):
    assert "80/100" in printed(monkeypatch, [4, 8], is_terminal=True, done=60)


def test_work_of_several_parts_names_the_part(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    console = Console(file=io.StringIO(), width=99)
    with Progress("All", 4, unit="steps", console=console) as progress:
        progress.describe("Timing")
        clock[0] = 6.0
        progress.advance()
    assert console.file.getvalue() == "Timing: 1 of 4 steps, 0:18 left\n"


def test_quiet(monkeypatch):
    assert printed(monkeypatch, [10, 50], quiet=True) == ""

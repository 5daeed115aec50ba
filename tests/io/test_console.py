"""What a terminal cannot show ends no run."""

import io
import os
import subprocess
import sys

import pytest
from rich import table

from keras_distill.callbacks import Progress
from keras_distill.io import make_console
from keras_distill.io import show

TEXT = "Großartig → 好"


def shown_on(encoding, monkeypatch, show_it):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    show_it()
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", TEXT),
        ("cp1252", "Großartig \\u2192 \\u597d"),
        ("ascii", "Gro\\xdfartig \\u2192 \\u597d"),
    ],
)
def test_what_an_encoding_lacks_is_shown_by_its_number(
    encoding, expected, monkeypatch
):
    def by_console():
        make_console(soft_wrap=True, highlight=False).print(TEXT)

    for way in (lambda: show(TEXT), by_console):
        assert shown_on(encoding, monkeypatch, way) == f"{expected}\n"


def test_tables_and_progress_are_shown(monkeypatch):
    def show_all():
        rows = table.Table("model", "Qualität × 100")
        rows.add_row("Lehrer", "–")
        make_console().print(rows)
        progress = Progress("Stufe 'Schüler'")
        progress.set_params({"steps": 1, "epochs": 1})
        progress.on_train_begin()
        progress.on_epoch_begin(0)
        progress.on_train_batch_begin(0)
        progress.on_train_batch_end(0, {"loss": 1.0})
        progress.on_epoch_end(0, {"loss": 1.0})

    text = shown_on("ascii", monkeypatch, show_all)
    assert "Qualit\\xe4t" in text and "Sch\\xfcler': epoch 1/1" in text


class Broken:
    """A terminal that is gone."""

    encoding = "utf-8"

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = isatty = fileno = lambda self: os.fstat(-1)


def test_a_terminal_that_is_gone_shows_nothing(monkeypatch):
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    for stream in (Broken(), closed, None):
        monkeypatch.setattr(sys, "stdout", stream)
        show(TEXT)
        make_console().print(TEXT)


def test_a_reader_that_leaves_is_no_failure():
    source = os.path.join(
        os.path.dirname(sys.modules[show.__module__].__file__), "console.py"
    )
    code = (
        "import runpy, sys\n"
        f"console = runpy.run_path({source!r})\n"
        "sys.stdin.readline()\n"
        "console['show']('x' * 100_000)\n"
        "console['drop_lost_output']()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stdin.write(b"go\n")
    process.stdin.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0
    process.stderr.close()

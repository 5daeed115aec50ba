import io

from rich import console

from keras_distill.evaluation import progress


def run(monkeypatch, patience, **arguments):
    monkeypatch.setattr(progress, "PATIENCE", patience)
    terminal = console.Console(file=io.StringIO(), force_terminal=True)
    with progress.Progress(2, console=terminal, **arguments) as bar:
        bar.describe("Evaluating teacher")
        bar.advance()
        bar.describe("Timing at batch 1")
        bar.advance()
    assert bar.done == 2
    return terminal.file.getvalue()


def test_a_short_wait_is_silent(monkeypatch):
    assert run(monkeypatch, patience=3600.0) == ""


def test_a_long_wait_shows_what_is_done(monkeypatch):
    output = run(monkeypatch, patience=-1.0)
    assert "Timing at batch 1" in output
    assert "2/2" in output


def test_quiet_is_silent(monkeypatch):
    assert run(monkeypatch, patience=-1.0, quiet=True) == ""

"""A vocabulary of 120,000 words is factorized in seconds and 2 GiB."""

import pathlib
import re
import subprocess
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[2]


def _run(*arguments):
    """Seconds, and GiB before the call and at its peak."""
    completed = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.large_vocabulary", *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    assert completed.returncode == 0, completed.stderr
    found = re.search(
        r": ([\d.]+) s; ([\d.]+) GiB before, ([\d.]+) GiB at", completed.stdout
    )
    assert found, completed.stdout
    return map(float, found.groups())


@pytest.mark.slow
@pytest.mark.skipif(
    not pathlib.Path("/proc/self/statm").exists(), reason="reads /proc"
)
def test_120_000_words_of_width_768():
    seconds, before, peak = _run()
    # On one busy core as well.
    assert seconds < 60
    # 0.34 GiB of it is the teacher's table itself, read once.
    assert peak - before < 2

"""What the tests of runs share."""

import signal

import pytest


@pytest.fixture(autouse=True)
def python_takes_ctrl_c():
    """As in the foreground; tests may run in the background, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

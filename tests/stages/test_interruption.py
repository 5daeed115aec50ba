"""Which signals a run answers, and when."""

import os
import signal
import threading

import pytest

from keras_distill.stages import Interrupted
from keras_distill.stages.run_stages import StopRequest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted(number, capsys):
    before = signal.getsignal(number)
    with StopRequest() as request:
        assert request.signal_number is None
        os.kill(os.getpid(), number)
        assert request.signal_number == number
        # The next one acts as ever.
        assert signal.getsignal(number) is before
    assert "Stopping after this batch" in capsys.readouterr().err


def test_quiet(capsys):
    with StopRequest(quiet=True):
        os.kill(os.getpid(), signal.SIGINT)
    assert capsys.readouterr() == ("", "")


def test_what_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopRequest() as request:
        os.kill(os.getpid(), signal.SIGINT)
        assert request.signal_number is None


def test_signals_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), StopRequest():
        raise ZeroDivisionError
    after = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert after == before


def test_another_thread_takes_no_signals():
    seen = []

    def run():
        with StopRequest() as request:
            seen.append(request.signal_number)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [None]


def test_exit_codes():
    assert Interrupted("enough").exit_code == 130
    assert Interrupted("enough", signal.SIGTERM).exit_code == 143

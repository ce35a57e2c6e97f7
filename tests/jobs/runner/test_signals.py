"""Ctrl-C and SIGTERM while a job is handed over; each in a process of its own, which may die."""

import signal
import subprocess
import sys

import pytest

from tests.jobs.runner.job_service import ROOT

SECONDS = 300
INTERRUPTED = "KeyboardInterrupt\n"


def told(body: str, number: int = signal.SIGINT) -> str:
    """What a process says that does this; `send` sends it the signal."""
    code = f"""
import os, signal, sys, threading
from negmine.jobs.runner.remote import catching
signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background ignores it.
before = signal.getsignal({number})
def send(): os.kill(os.getpid(), {number})
def main():
{body}
try:
    main()
except KeyboardInterrupt:
    print("KeyboardInterrupt")
assert signal.getsignal({number}) is before
"""
    words = [sys.executable, "-X", "faulthandler", "-c", code]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    return ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_the_job_is_handed_over(number: int) -> None:
    body = """
    with catching(wanted=True) as signals:
        with signals.held():
            send()
            print("handed over")
        signals.check()
        print("went on")
"""
    assert told(body, number) == "handed over\n" + INTERRUPTED


def test_a_second_signal_waits_for_nothing() -> None:
    body = """
    with catching(wanted=True) as signals, signals.held():
        send()
        print("one")
        send()
        print("two")
"""
    assert told(body) == "one\n" + INTERRUPTED


def test_signals_that_somebody_ignores_stay_ignored() -> None:
    body = """
    global before
    signal.signal(signal.SIGTERM, before := signal.SIG_IGN)
    with catching(wanted=True):
        send()
    print("went on")
"""
    assert told(body, signal.SIGTERM) == "went on\n"


def test_a_thread_catches_none() -> None:
    body = """
    def other():
        with catching(wanted=True):
            print(signal.getsignal(signal.SIGINT) is before)
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
"""
    assert told(body) == "True\n"

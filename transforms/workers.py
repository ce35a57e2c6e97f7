"""Worker processes of a local run: this process and helpers beside it share out the elements.

A helper is started once there has been work for a while, ends when it has had none for a minute,
and ends at once with this process. Whoever makes an element, its result has the same bytes.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from apache_beam.internal import pickler

from negmine.transforms.counters import count
from negmine.transforms.helper import PATIENCE, Gone, Helper
from negmine.transforms.kernels.threads import shared_by
from negmine.transforms.worker_process import Failed, Made

SOON = 1.0
"""Seconds that a job has taken when helpers are started: a shorter one is over before they are."""

IDLE = 60.0
"""Seconds without work after which a helper ends."""


class _Job:
    """Elements that one function is called with; taken from their iterator as they are needed."""

    def __init__(self, function: Callable[[Any], Any], elements: Iterable[Any]) -> None:
        self.function = pickler.dumps(function)
        self.key = f"{id(self)}-{time.monotonic_ns()}"
        known = isinstance(elements, Sequence)
        self.todo = deque[Any](elements if known else ())
        self.coming = iter(() if known else elements)
        self.over = known
        """Whether no element is to come that is not in `todo`."""
        self.alone = False
        """Whether it is for helpers alone."""
        self.away = 0
        """Elements that helpers are making."""
        self.answers: SimpleQueue[Made | Failed | None] = SimpleQueue()
        """None where an element came back unmade."""


class _Team:
    """The helpers, each led by a thread of its own, and the jobs that they work at."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._leading: set[threading.Thread] = set()
        self._jobs: list[_Job] = []
        self._shift = 0
        """Raised when all helpers are to end."""
        self._peaks: dict[int, int] = {}
        self._place: object = None
        """Where the helpers were started."""
        self.helpers: set[Helper] = set()
        self.taken = 0
        """Elements that helpers have made."""
        self.peak = 0

    def made(
        self, function: Callable[[Any], Any], elements: Iterable[Any], workers: int, soon: float
    ) -> Iterator[Any]:
        """`function(element)` of each, in any order."""
        job = _Job(function, elements)
        self._begin(job)
        hiring = threading.Timer(soon, self._hire, (job, workers))
        hiring.daemon = True
        with suppress(RuntimeError):  # The system has no more threads.
            hiring.start()
        finished = False
        try:
            while (found := self._next(job)) is not None:
                for element in found:
                    with shared_by(workers if self.helpers else 1):
                        value = function(element)
                    yield value
                if not found:
                    yield from self._answered(job.answers.get())
                while not job.answers.empty():
                    yield from self._answered(job.answers.get())
            finished = True
        finally:
            hiring.cancel()
            self._end(job)
            if not finished:
                self.end()

    def made_by_helper(self, function: Callable[[Any], Any], element: Any) -> Any:
        """`function(element)`, by a helper where there is one."""
        job = _Job(function, [element])
        job.alone = True
        if self._begin(job):
            try:
                for value in self._answered(job.answers.get()):
                    return value
            finally:
                self._end(job)
        return function(element)

    def _begin(self, job: _Job) -> bool:
        """Have helpers see the job; not where it is for them alone and there is none."""
        if self._leading and self._place != _place():
            self.end()  # A path that is not absolute would be another one to them.
        with self._changed:
            if job.alone and not self.helpers:
                return False
            self._jobs.append(job)
            self._changed.notify_all()
            return True

    def _end(self, job: _Job) -> None:
        with self._changed:
            job.todo.clear()
            self._jobs.remove(job)

    def _next(self, job: _Job) -> list[Any] | None:
        """An element; none where helpers have the last ones, None where all are done."""
        # One for this process, and for each helper one to go on with.
        while not job.over and len(job.todo) <= 2 * len(self._leading):
            try:
                element = next(job.coming)
            except StopIteration:
                job.over = True
                break
            with self._changed:
                job.todo.append(element)
                self._changed.notify()
        with self._changed:
            if job.todo:
                return [job.todo.popleft()]
            return [] if job.away or not job.answers.empty() else None

    def _answered(self, answer: "Made | Failed | None") -> Iterator[Any]:
        if isinstance(answer, Failed):
            raise answer.error from RuntimeError(answer.where)
        if answer is not None:
            for name, by in answer.counted.items():
                count(name, by)
            self.taken += 1
            self._peaks[answer.process] = answer.peak
            self.peak = max(self.peak, sum(self._peaks.values()))
            yield answer.value

    def _hire(self, job: _Job, workers: int) -> None:
        """Start the helpers that are missing, where there is something left to do for them."""
        with self._changed:
            left = len(job.todo) if job.over else workers
            missing = min(workers - 1 - len(self._leading), left)
            if not self._leading:
                self._place = _place()
            for _ in range(missing if sys.executable and job in self._jobs else 0):
                leading = threading.Thread(
                    target=self._lead, args=(workers, self._shift), daemon=True
                )
                self._leading.add(leading)
                try:
                    leading.start()
                except RuntimeError:  # The system has no more threads.
                    self._leading.discard(leading)
                    return

    def _lead(self, workers: int, shift: int) -> None:
        helper: Helper | None = None
        # The helper inherits this: Ctrl-C is not for it, from its first moment on.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            helper = Helper(shared_by(workers).threads)
            with self._changed:
                self.helpers.add(helper)
            while (found := self._await(shift)) is not None:
                self._have_made(helper, *found)
        except (Gone, OSError):
            pass  # This process makes what is left.
        finally:
            with self._changed:
                self._leading.discard(threading.current_thread())
                if helper is not None:
                    self.helpers.discard(helper)
                for job in [] if self.helpers else self._jobs:
                    if job.alone and job.todo:
                        job.todo.clear()
                        job.answers.put(None)
            if helper is not None:
                helper.end()

    def _await(self, shift: int) -> tuple[_Job, Any] | None:
        """A job and an element to make; None where there is none for long, or all are to end."""

        def waiting() -> list[_Job]:
            return [job for job in self._jobs if job.todo]

        with self._changed:
            self._changed.wait_for(lambda: self._shift != shift or waiting(), IDLE)
            found = waiting()
            if self._shift != shift or not found:
                return None
            found[0].away += 1
            return found[0], found[0].todo.popleft()

    def _have_made(self, helper: Helper, job: _Job, element: object) -> None:
        answer: Made | Failed | None = None
        try:
            answer = helper.make(job.key, job.function, element)
        except Gone:
            job.todo.append(element)
            raise
        except Exception as error:  # what cannot be sent
            answer = Failed(error, traceback.format_exc())
        finally:
            with self._changed:
                job.answers.put(answer)
                job.away -= 1

    def end(self) -> None:
        """End all helpers; what they are making is not finished."""
        with self._changed:
            self._shift += 1
            self._changed.notify_all()
            helpers, leading = list(self.helpers), list(self._leading)
        for helper in helpers:
            helper.dismiss()
        for helper in helpers:
            helper.end()
        for thread in leading:
            thread.join(PATIENCE)
        self._peaks.clear()

    def forget(self) -> None:
        """Let go of helpers that are another process's."""
        for helper in list(self.helpers):
            helper.forget()


def _place() -> object:
    """What the name of a file or of a module, and the way to a store, depend on."""
    settings = dict(os.environ)
    settings.pop("PYTEST_CURRENT_TEST", None)
    try:
        return os.getcwd(), list(sys.path), settings
    except OSError:  # The folder was deleted.
        return None, list(sys.path), settings


def _after_fork() -> None:
    """A copy of this process has the pipes, but no thread that leads a helper."""
    global _team
    _team.forget()
    _team = _Team()


_team = _Team()
_allowed: list[int] = []
"""Workers of each body of `working_with` that is being run, the last one that began last."""
os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def working_with(workers: int) -> Iterator[None]:
    """In the body this process may have so many workers, itself included."""
    _allowed.append(workers)
    try:
        yield
    finally:
        # Another thread's body may have begun in this one, and end after it.
        del _allowed[len(_allowed) - 1 - _allowed[::-1].index(workers)]


def workers() -> int:
    """How many workers there may be, this process included."""
    return (_allowed or [1])[-1]


def made_by_workers(function: Callable[[Any], Any], elements: Iterable[Any]) -> Iterator[Any]:
    """`function(element)` of each element, in the order that they are ready.

    Elements are taken from an iterator as they are needed, in this process.

    Raises what the function raises. Function, elements and results are pickled where there are
    several workers; the function may keep nothing from one element for the next but caches.
    """
    most = workers()
    if most < 2 or (isinstance(elements, Sequence) and len(elements) < 2):
        yield from map(function, elements)
    else:
        yield from _team.made(function, elements, most, SOON)


def made_in_order(function: Callable[[Any], Any], elements: Iterable[Any]) -> Iterator[Any]:
    """As `made_by_workers`, in the order of the elements; memory holds those that come early."""
    early: dict[int, Any] = {}
    turn = 0
    for at, made in made_by_workers(_Numbered(function), list(enumerate(elements))):
        early[at] = made
        while turn in early:
            yield early.pop(turn)
            turn += 1


class _Numbered:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, element: tuple[int, Any]) -> tuple[int, Any]:
        return element[0], self.function(element[1])


def made_by_helper(function: Callable[[Any], Any], element: Any) -> Any:
    """`function(element)`, as of `made_by_workers`: by a helper if there is one, else here.

    For a thread beside the one that makes parts: two threads of one process are no faster.
    """
    return _team.made_by_helper(function, element)


def peak_memory() -> int:
    """Most resident memory of all helpers together, bytes."""
    return _team.peak


def helpers() -> int:
    """How many helpers there are now."""
    return len(_team.helpers)

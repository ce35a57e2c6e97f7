"""Helpers of a local run and the jobs that they work at beside this process."""

import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

from apache_beam.internal import pickler

from negmine.transforms.counters import count
from negmine.transforms.kernels.threads import shared_by
from negmine.transforms.processes.helper import PATIENCE, Gone, Helper
from negmine.transforms.processes.messages import Failed, Made

Element = TypeVar("Element")
Result = TypeVar("Result")

IDLE = 60.0
"""Seconds without work after which a helper ends."""


class Job(Generic[Element, Result]):
    """Elements that one function is called with; taken from their iterator as they are needed."""

    def __init__(self, function: Callable[[Element], Result], elements: Iterable[Element]) -> None:
        self.function = pickler.dumps(function)
        self.key = f"{id(self)}-{time.monotonic_ns()}"
        known = isinstance(elements, Sequence)
        self.todo: deque[Element] = deque(elements if known else ())
        self.coming: Iterator[Element] = iter(() if known else elements)
        self.over = known
        """Whether no element is to come that is not in `todo`."""
        self.alone = False
        """Whether it is for helpers alone."""
        self.away = 0
        """Elements that helpers are making."""
        self.answers: SimpleQueue[Made[Result] | Failed | None] = SimpleQueue()
        """None where an element came back unmade."""


AnyJob: TypeAlias = Job[Any, Any]
"""One of several jobs, whose elements are sent on unread."""


class Team:
    """The helpers, each led by a thread of its own, and the jobs that they work at."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._leading: set[threading.Thread] = set()
        self._jobs: list[AnyJob] = []
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
        self,
        function: Callable[[Element], Result],
        elements: Iterable[Element],
        workers: int,
        soon: float,
    ) -> Iterator[Result]:
        """`function(element)` of each, in any order."""
        job = Job(function, elements)
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

    def made_by_helper(self, function: Callable[[Element], Result], element: Element) -> Result:
        """`function(element)`, by a helper where there is one."""
        job = Job(function, [element])
        job.alone = True
        if self._begin(job):
            try:
                for value in self._answered(job.answers.get()):
                    return value
            finally:
                self._end(job)
        return function(element)

    def _begin(self, job: AnyJob) -> bool:
        """Have helpers see the job; not where it is for them alone and there is none."""
        if self._leading and self._place != _place():
            self.end()  # A path that is not absolute would be another one to them.
        with self._changed:
            if job.alone and not self.helpers:
                return False
            self._jobs.append(job)
            self._changed.notify_all()
            return True

    def _end(self, job: AnyJob) -> None:
        with self._changed:
            job.todo.clear()
            self._jobs.remove(job)

    def _next(self, job: Job[Element, Result]) -> list[Element] | None:
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

    def _answered(self, answer: Made[Result] | Failed | None) -> Iterator[Result]:
        if isinstance(answer, Failed):
            raise answer.error from RuntimeError(answer.where)
        if answer is not None:
            for name, by in answer.counted.items():
                count(name, by)
            self.taken += 1
            self._peaks[answer.process] = answer.peak
            self.peak = max(self.peak, sum(self._peaks.values()))
            yield answer.value

    def _hire(self, job: AnyJob, workers: int) -> None:
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

    def _await(self, shift: int) -> tuple[AnyJob, object] | None:
        """A job and an element to make; None where there is none for long, or all are to end."""

        def waiting() -> list[AnyJob]:
            return [job for job in self._jobs if job.todo]

        with self._changed:
            self._changed.wait_for(lambda: self._shift != shift or waiting(), IDLE)
            found = waiting()
            if self._shift != shift or not found:
                return None
            found[0].away += 1
            return found[0], found[0].todo.popleft()

    def _have_made(self, helper: Helper, job: AnyJob, element: object) -> None:
        answer: Made[object] | Failed | None = None
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

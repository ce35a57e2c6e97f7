"""Worker processes of a local run: this process and helpers beside it share out the elements.

A helper is started once there has been work for a while, ends when it has had none for a minute,
and ends at once with this process. Whoever makes an element, its result has the same bytes.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from negmine.transforms.processes.team import Team

Element = TypeVar("Element")
Result = TypeVar("Result")

SOON = 1.0
"""Seconds that a job has taken when helpers are started: a shorter one is over before they are."""


def _after_fork() -> None:
    """A copy of this process has the pipes, but no thread that leads a helper."""
    global _team
    _team.forget()
    _team = Team()


_team = Team()
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


def made_by_workers(
    function: Callable[[Element], Result], elements: Iterable[Element]
) -> Iterator[Result]:
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


def made_in_order(
    function: Callable[[Element], Result], elements: Iterable[Element]
) -> Iterator[Result]:
    """As `made_by_workers`, in the order of the elements; memory holds those that come early."""
    early: dict[int, Result] = {}
    turn = 0
    for at, made in made_by_workers(_Numbered(function), list(enumerate(elements))):
        early[at] = made
        while turn in early:
            yield early.pop(turn)
            turn += 1


class _Numbered(Generic[Element, Result]):
    def __init__(self, function: Callable[[Element], Result]) -> None:
        self.function = function

    def __call__(self, element: tuple[int, Element]) -> tuple[int, Result]:
        return element[0], self.function(element[1])


def made_by_helper(function: Callable[[Element], Result], element: Element) -> Result:
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

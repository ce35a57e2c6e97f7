"""Errors without our own frames: a sentence is what a user can act on."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from negmine.schemas.errors import NegmineError

_P = ParamSpec("_P")
_T = TypeVar("_T")


def plainly(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, whose errors for people come without the frames below it."""

    @functools.wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except NegmineError as error:
            raise error.with_traceback(None) from None

    return called

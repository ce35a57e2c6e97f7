"""Steps of pipelines: functions over elements, that Beam looks at quickly."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam


class Step(beam.DoFn):
    """A DoFn without state or timers.

    Beam looks for these in the signature of every method that `dir` lists, eight times for each
    step of a job. With DoFn's own methods that was a third of a small run.
    """

    def __dir__(self) -> list[str]:
        return ["setup", "process"]


class _Call(Step):
    def __init__(self, function: Callable[..., Any], many: bool) -> None:
        self.function = function
        self.many = many

    def process(self, element: Any, *sides: Any) -> Iterable[Any]:
        made = self.function(element, *sides)
        return made if self.many else (made,)


def map_step(function: Callable[..., Any], *sides: object) -> beam.ParDo:
    """`function(element, *sides)` for each element."""
    return beam.ParDo(_Call(function, many=False), *sides)


def flat_map_step(function: Callable[..., Iterable[Any]], *sides: object) -> beam.ParDo:
    """What `function(element, *sides)` gives, one by one, for each element."""
    return beam.ParDo(_Call(function, many=True), *sides)

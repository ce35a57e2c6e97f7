"""Steps of pipelines: functions over elements, that Beam looks at quickly."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from negmine.transforms.workers import made_by_workers, workers

Element: TypeAlias = Any
"""An element of any type, as Beam reads it in the annotations of `process`: not `object`."""


class Step(beam.DoFn):
    """A DoFn without state or timers.

    Beam looks for these in the signature of every method that `dir` lists, eight times for each
    step of a job. With DoFn's own methods that was a third of a small run.
    """

    def __dir__(self) -> list[str]:
        return ["setup", "process"]


class _Call(Step):
    def __init__(self, function: Callable[..., Element], many: bool) -> None:
        self.function = function
        self.many = many

    def process(self, element: Element, *sides: Element) -> Iterable[Element]:
        made = self.function(element, *sides)
        return made if self.many else (made,)


class _Shared(beam.DoFn):
    """In a local run with several workers a bundle's elements are collected, then shared out."""

    def __init__(self, function: Callable[[Element], object]) -> None:
        self.function = function

    def __dir__(self) -> list[str]:
        return ["setup", "start_bundle", "process", "finish_bundle"]

    def start_bundle(self) -> None:
        self.waiting: list[Element] = []

    def process(self, element: Element) -> Iterable[Element]:
        if workers() < 2:
            return (self.function(element),)
        self.waiting.append(element)
        return ()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        waiting, self.waiting = self.waiting, []
        for made in made_by_workers(self.function, waiting):
            yield GlobalWindows.windowed_value(made)


def map_step(function: Callable[..., object], *sides: object) -> beam.ParDo:
    """`function(element, *sides)` for each element."""
    return beam.ParDo(_Call(function, many=False), *sides)


def flat_map_step(function: Callable[..., Iterable[object]], *sides: object) -> beam.ParDo:
    """What `function(element, *sides)` gives, one by one, for each element."""
    return beam.ParDo(_Call(function, many=True), *sides)


def shared_step(function: Callable[[Element], object]) -> beam.ParDo:
    """`function(element)` for each element, by the worker processes of a local run.

    See `transforms.workers.made_by_workers` for what the function must keep to.
    """
    return beam.ParDo(_Shared(function))

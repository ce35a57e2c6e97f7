"""Every number of every setting is finite and has a limit; new settings are found by themselves."""

import importlib
import math
import pkgutil
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from negmine import schemas
from negmine.schemas.config import Config
from negmine.schemas.limits import MOST_CANDIDATES, MOST_LISTS, MOST_NEGATIVES, Model
from negmine.schemas.policies import PARAMETERS

UNLIMITED = {("Runner", "options"): "values for Beam, which has limits of its own"}
NOT_FINITE = (math.nan, math.inf, -math.inf, "nan", "inf", "-Infinity", "1e999")


def models() -> list[type[BaseModel]]:
    """Every model of settings that a module of schemas defines; a manifest is no setting."""
    for module in pkgutil.iter_modules(schemas.__path__):
        importlib.import_module(f"negmine.schemas.{module.name}")
    found, waiting = [], [BaseModel]
    while waiting:
        waiting += (classes := waiting.pop().__subclasses__())
        ours = (model for model in classes if model.__module__.startswith("negmine.schemas."))
        found += [model for model in ours if model.__module__ != "negmine.schemas.manifest"]
    return found


def numbers(annotation: Any) -> Iterator[type]:
    """`int` and `float` where a value of this annotation may hold one."""
    if annotation in (int, float):
        yield annotation
    for part in typing.get_args(annotation):
        yield from numbers(part)


def fields() -> list[tuple[type[BaseModel], str, Any]]:
    """Model, name and annotation of every setting that may hold a number."""
    return [
        (model, name, field.annotation)
        for model in models()
        for name, field in model.model_fields.items()
        if any(numbers(field.annotation))
    ]


def refused(model: type[BaseModel], name: str, value: Any) -> list[str]:
    """What is said about a field of that value, kinds of problems; none where it is taken."""
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return [e["type"] for e in error.errors() if e["loc"][:1] in ((), (name,))]
    return []


def _origins(annotation: Any) -> Iterator[Any]:
    yield typing.get_origin(annotation)
    for part in typing.get_args(annotation):
        yield from _origins(part)


def shapes(annotation: Any, value: Any) -> list[Any]:
    """A value as this annotation takes it: alone, in a tuple, in a map."""
    origins = set(_origins(annotation))
    if tuple in origins:
        return [[value, 0.5], [0.5, value]]
    return [{"x": value}] if dict in origins else [value]


FIELDS = fields()
IDS = [f"{model.__name__}.{name}" for model, name, _ in FIELDS]


def test_settings_are_found() -> None:
    assert {"Bm25.depth", "Cascade.uncertain", "Runner.options", "JudgeAbsoluteMargin.margin"} <= {
        *IDS
    }
    assert {parameters.__name__ for parameters in PARAMETERS.values()} <= {
        model.__name__ for model in models()
    }
    assert all(issubclass(model, Model) for model in models() if model is not Model)


@pytest.mark.parametrize(("model", "name", "annotation"), FIELDS, ids=IDS)
def test_no_setting_takes_what_is_not_finite(
    model: type[BaseModel], name: str, annotation: Any
) -> None:
    texts = "Runner" not in model.__name__  # its options may be texts
    for value in NOT_FINITE[: None if texts else 3]:
        for shape in shapes(annotation, value):
            assert refused(model, name, shape), (name, shape)


@pytest.mark.parametrize(("model", "name", "annotation"), FIELDS, ids=IDS)
def test_every_number_has_a_limit_on_both_sides(
    model: type[BaseModel], name: str, annotation: Any
) -> None:
    if (model.__name__, name) in UNLIMITED:
        return
    kinds = ("less_than", "less_than_equal", "greater_than", "greater_than_equal", "value_error")
    sizes = (1.1e30, -1.1e30) if float in numbers(annotation) else (10**30, -(10**30))
    for value in sizes:
        for shape in shapes(annotation, value):
            said = refused(model, name, shape)
            assert said and set(said) & {*kinds}, (name, shape, said)


def config(**sections: Any) -> Config:
    return Config.model_validate({"input": {"format": "stdlib"}, **sections})


@pytest.mark.parametrize(
    ("sections", "limit"),
    [
        ({"sources": {"dense": {"depth": 10**9}}}, MOST_CANDIDATES),
        ({"sources": {"random": {"count": 10**9}}}, MOST_CANDIDATES),
        ({"tiers": {"hard": {"quota": 10**9}}}, MOST_NEGATIVES),
    ],
)
def test_an_absurd_size_is_refused_with_the_limit(sections: dict[str, Any], limit: int) -> None:
    with pytest.raises(ValidationError, match=f"less than or equal to {limit}"):
        config(**sections)


@pytest.mark.parametrize("index", ["IVF99999999,Flat", "HNSW99999999", "IVF4,PQ99999999x8"])
def test_a_size_in_the_name_of_an_index_is_refused(index: str) -> None:
    with pytest.raises(ValidationError, match=f"over {MOST_LISTS:,}"):
        config(sources={"dense": {"index": index}})


def test_memory_has_a_limit() -> None:
    for size in ("9" * 400 + "GiB", "1048577TiB"):
        with pytest.raises(ValidationError, match="over the limit of 1,048,576TiB"):
            config(runner={"memory": size})

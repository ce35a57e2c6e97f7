"""Grids of settings for a sweep: read, and put into a run's config."""

import copy
import itertools
from collections.abc import Mapping, Sequence
from math import prod

import yaml
from pydantic import BaseModel, ValidationError

from negmine.jobs.load_config import explain
from negmine.schemas import JsonObject
from negmine.schemas.config import Config, Sampling, Tier
from negmine.schemas.errors import ConfigError

MOST_POINTS = 200


def parse_grid(options: Sequence[str]) -> list[JsonObject]:
    """`KEY=a,b,c` options as the points of their grid, each from key to value.

    Raises ConfigError for one that cannot be read, and for more than 200 points.
    """
    axes: dict[str, list[object]] = {}
    for text in options:
        key, separator, listed = text.partition("=")
        key = key.strip().removeprefix("policies.")
        if not separator or not all(key.partition(".")) or not listed.strip():
            raise ConfigError(
                f"--policy {text!r}: write POLICY.PARAMETER=VALUE,VALUE,..., for example "
                "judge_relative_margin.keep_below=0.8,0.9,0.95, or sampling.method=top,contrast"
            )
        if key in axes:
            raise ConfigError(f"--policy {key} is given twice; list its values in one option")
        axes[key] = [_value(text, value) for value in listed.split(",")]
    return _grid(axes)


def grid_of(settings: Mapping[str, Sequence[object]]) -> list[JsonObject]:
    """The points of a grid given as keys and their values. Raises ConfigError as `parse_grid`."""
    axes: dict[str, list[object]] = {}
    for key, values in settings.items():
        name = key.removeprefix("policies.")
        if not all(name.partition(".")) or isinstance(values, str) or not list(values):
            raise ConfigError(
                f"sweep {key!r}: give POLICY.PARAMETER and a list of its values, for example "
                "{'judge_relative_margin.keep_below': [0.8, 0.9]}"
            )
        axes[name] = list(values)
    return _grid(axes)


def _grid(axes: Mapping[str, list[object]]) -> list[JsonObject]:
    points = prod(len(values) for values in axes.values())
    if points > MOST_POINTS:
        sizes = " x ".join(str(len(values)) for values in axes.values())
        raise ConfigError(
            f"the grid has {points:,} points ({sizes}), and at most {MOST_POINTS} are swept at "
            "once; give fewer values"
        )
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _value(option: str, text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"--policy {option!r}: {text!r} is not a YAML value") from None


def changed(config: JsonObject, settings: Mapping[str, object]) -> Config:
    """A run's config with a point's settings. Raises ConfigError for a key or value it lacks."""
    values = copy.deepcopy(dict(config))
    for key, value in settings.items():
        section, *path = key.split(".")
        if section == "sampling":
            _put(values["sampling"], Sampling, path, key, value)
        elif section == "tiers":
            if path[0] not in values["tiers"]:
                raise ConfigError(
                    f"--policy {key}: the run has no tier {path[0]}; it has "
                    f"{', '.join(values['tiers'])}"
                )
            _put(values["tiers"][path[0]], Tier, path[1:], key, value)
        else:
            _put_policy(values["policies"], section, ".".join(path), value)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        shown = ", ".join(f"{key}={value}" for key, value in settings.items())
        raise ConfigError(f"--policy {shown}: {explain(first)}") from None


def _put(
    node: JsonObject, model: type[BaseModel], path: list[str], key: str, value: object
) -> None:
    if not path or path[0] not in model.model_fields or len(path) > 1 + (path[0] == "sampling"):
        known = ", ".join(model.model_fields)
        raise ConfigError(f"--policy {key}: no such key; known keys: {known}")
    if len(path) == 1:
        node[path[0]] = value
        return
    node["sampling"] = dict(node["sampling"] or {})
    _put(node["sampling"], Sampling, path[1:], key, value)


def _put_policy(policies: list[JsonObject], name: str, parameter: str, value: object) -> None:
    mine = [entry for entry in policies if name in entry]
    if not mine:
        names = ", ".join(next(iter(entry)) for entry in policies)
        raise ConfigError(
            f"--policy {name}.{parameter}: the run has no policy {name}; it has {names} "
            "(and sampling.KEY, tiers.NAME.KEY can be set)"
        )
    for entry in mine:
        entry[name] = {**(entry[name] or {}), parameter: value}

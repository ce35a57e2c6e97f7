"""Reads a run's YAML, applies `--set`, and turns every mistake into one clear sentence."""

import difflib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.config import Config
from schemas.errors import ConfigError


def load_config(path: str, settings: Sequence[str] = (), output: str | None = None) -> Config:
    """The validated config of a YAML file.

    Args:
        path: the file.
        settings: `key=value` with dotted keys, the values in YAML; a policy is named by its name,
            `policies.judge_relative_margin.keep_below=0.9`.
        output: overrides `output.path`.

    Raises:
        ConfigError: naming the key and the value, and for an unknown key the nearest known one.
    """
    values = _read(path)
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {setting!r}: write key=value, for example seed=7")
        _assign(values, key, _parse_value(setting, text))
    if output is not None:
        _assign(values, "output.path", output)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise ConfigError(f"{path}: " + "\n  ".join(lines)) from None


def _read(path: str) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        presets = sorted(p.name for p in (Path(__file__).parent / "presets").glob("*.yaml"))
        raise ConfigError(
            f"cannot read the config {path}: {error}. Presets in jobs/presets/: "
            f"{', '.join(presets)}"
        ) from None
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys such as input:, student:, got {values!r:.80}")
    return values


def _parse_value(setting: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting!r}: the value is not YAML: {error}") from None


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    if path and path[0] in {"policies", "tiers"} and values.get(path[0]) is None:
        judge = {"judge": values["judge"]} if "judge" in values else {}
        blank = Config.model_validate({"input": {"format": "stdlib"}, **judge})
        values[path[0]] = blank.model_dump(mode="json")[path[0]]
    node: Any = values
    for name in path:
        node = _step(node, name, key)
    if isinstance(node, list):
        node = _step(node, last, key) if not last.isdigit() else node
        if last.isdigit() and int(last) < len(node):
            node[int(last)] = value
            return
        raise ConfigError(f"--set {key}: name a policy's parameter, policies.NAME.PARAMETER=value")
    if not isinstance(node, dict):
        raise ConfigError(f"--set {key}: {'.'.join(path)} is a value, not a section")
    node[last] = value


def _step(node: Any, name: str, key: str) -> Any:
    if isinstance(node, list):
        for entry in node:
            if isinstance(entry, dict) and name in entry:
                entry[name] = entry[name] or {}
                return entry[name]
        if name.isdigit() and int(name) < len(node):
            return node[int(name)]
        names = ", ".join(next(iter(entry)) for entry in node if isinstance(entry, dict))
        raise ConfigError(f"--set {key}: there is no {name!r} here; there are {names}")
    if not isinstance(node, dict):
        raise ConfigError(f"--set {key}: {name} is not a section")
    if node.get(name) is None:
        node[name] = {}
    return node[name]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _known_keys(location: Sequence[Any]) -> list[str]:
    """Keys allowed in the section that holds the last element of an error's location."""
    models: list[type[BaseModel]] = [Config]
    for name in location[:-1]:
        fields = [model.model_fields[name] for model in models if name in model.model_fields]
        if fields:
            models = [found for field in fields for found in _models(field.annotation)]
            continue
        tagged = [
            model
            for model in models
            if "format" in model.model_fields
            and name in typing.get_args(model.model_fields["format"].annotation)
        ]
        models = tagged or models
    return sorted({key for model in models for key in model.model_fields})


def _explain(problem: Any) -> str:
    location = problem["loc"]
    key = ".".join(str(part) for part in location)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        known = _known_keys(location)
        nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.4)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known keys: {', '.join(known)}"
        return f"{key}: unknown key; {hint}"
    if problem["type"] == "missing":
        return f"{key}: missing; it has no default"
    if problem["type"].startswith("union_tag"):
        return f"{key}.format: {message}"
    shown = "" if isinstance(problem["input"], dict) else f" (got {problem['input']!r:.80})"
    return f"{key}: {message}{shown}" if key else message

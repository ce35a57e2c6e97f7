"""Reads a run's YAML, applies `--set`, and turns every mistake into one clear sentence."""

import difflib
import os
import stat
import typing
from collections.abc import Sequence
from pathlib import Path

import yaml
import yaml.nodes
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.config.policy_list import PROMISES, is_off
from negmine.schemas.errors import ConfigError
from negmine.schemas.limits import reason
from negmine.transforms import storage

_KINDS = ("constrained-", "literal[")
"""How pydantic names the kinds of a value that may be of several."""

MOST_BYTES, MOST_NODES, MOST_LEVELS = 1 << 18, 10_000, 50
"""Largest config: bytes of the file, values once anchors are written out, sections in sections."""


def load_config(path: str, settings: Sequence[str] = (), output: str | None = None) -> Config:
    """The validated config of a YAML file or a preset.

    Args:
        path: the file, or the name of a preset, see `config_file`.
        settings: `key=value` with dotted keys, the values in YAML; a policy is named by its name,
            `policies.judge_relative_margin.keep_below=0.9`.
        output: overrides `output.path`.

    Raises:
        ConfigError: naming the key and the value, and for an unknown key the nearest known one.
    """
    return config_of(read_config(path), path, settings, output)


def config_of(
    values: JsonObject, name: str, settings: Sequence[str] = (), output: str | None = None
) -> Config:
    """The validated config of `values`, which are changed; `name` says in errors where they are of.

    `settings`, `output` and what is raised: as of `load_config`.
    """
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {setting!r}: write key=value, for example seed=7")
        problem = f"--set {setting!r:.200}: the value is not YAML"
        _assign(values, key, _load_yaml(text, problem))
    if output is not None:
        _assign(values, "output.path", output)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = list(dict.fromkeys(explain(problem) for problem in error.errors()))
        raise ConfigError(f"{name}: " + "\n  ".join(lines)) from None


def presets() -> dict[str, Path]:
    """The file of each preset, by its name."""
    folder = Path(__file__).parent / "presets"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def config_file(name: str) -> str:
    """The file that a name stands for: itself, or a preset where there is no such YAML file.

    `stdlib` is stdlib.yaml or stdlib.yml of the working directory, else the preset, also where
    something without a YAML suffix has that name; `stdlib.yaml` is that file where it is there.
    """
    # As the pages of the guide said before presets had names.
    plain = name.removeprefix("jobs/presets/").removesuffix(".yaml").removesuffix(".yml")
    found = presets().get(plain)
    if found is None:
        return name
    own = [name] if name != plain else [f"{name}.yaml", f"{name}.yml"]
    return next((file for file in own if storage.is_file(storage.local_path(file))), str(found))


def read_config(name: str) -> JsonObject:
    """The keys of a YAML file or a preset, not yet validated. Raises ConfigError."""
    path = config_file(name)
    try:
        text = _text(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read the config {path}: {error}. Presets go by name: negmine mine stdlib; "
            f"there are {', '.join(presets())}"
        ) from None
    values = _load_yaml(text, f"{path} is not YAML")
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys such as input:, student:, got {values!r:.80}")
    return values


def _text(path: str) -> str:
    """A regular file's text; pipes and devices could be endless. Raises OSError, ValueError."""
    with open(
        os.open(storage.fetch(storage.local_path(path)), os.O_RDONLY | os.O_NONBLOCK), "rb"
    ) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("a folder, pipe or device, not a file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"over {MOST_BYTES:,} bytes, more than a config takes")
    return data.decode()


def _load_yaml(text: str, problem: str) -> object:
    """YAML of plain values. Raises ConfigError, beginning with `problem`, for everything else."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_nodes(node, {})
        return loader.construct_document(node)
    except RecursionError:
        raise ConfigError(f"{problem}: nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError) as error:
        # PyYAML lets bare errors through for values that are not of their tag, as in !!int x.
        raise ConfigError(f"{problem}: {error}") from None


def _check_nodes(node: yaml.nodes.Node, sizes: dict[int, int], level: int = 0) -> int:
    """The number of values below a node, those of an anchor counted at each of its uses.

    Raises ValueError where there are too many, a key is repeated, or a text cannot be written.
    """
    known = sizes.get(id(node))
    if known is not None:
        if not known:
            raise ValueError("an anchor that holds itself")
        return known
    if level > MOST_LEVELS:
        raise ValueError(f"more than {MOST_LEVELS} sections in each other")
    where = f"line {node.start_mark.line + 1}"
    sizes[id(node)] = 0
    parts: list[yaml.nodes.Node] = []
    if isinstance(node, yaml.nodes.MappingNode):
        names: set[str] = set()
        for key in (k for k, _ in node.value if isinstance(k, yaml.nodes.ScalarNode)):
            if key.value in names:
                line = key.start_mark.line + 1
                raise ValueError(f"the key {key.value!r:.80} stands twice, line {line}")
            names.add(key.value)
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.nodes.SequenceNode):
        parts = node.value
    elif "\0" in node.value or not _writable(node.value):
        raise ValueError(f"a NUL or half a surrogate pair in {node.value!r:.80}, {where}")
    total = 1 + sum(_check_nodes(part, sizes, level + 1) for part in parts)
    if total > MOST_NODES:
        raise ValueError(f"more than {MOST_NODES:,} values, anchors written out, {where}")
    sizes[id(node)] = total
    return total


def _writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _assign(values: JsonObject, key: str, value: object) -> None:
    *path, last = key.split(".")
    if path and path[0] in {"policies", "tiers"} and values.get(path[0]) is None:
        values[path[0]] = _defaults(values.get("judge"))[path[0]]
    if path[:1] == ["policies"] and isinstance(values["policies"], list):
        _name_promise(values["policies"], [*path, last][1])
    node: object = values
    for name in path:
        node = _step(node, name, key)
    if isinstance(node, list):
        if path == ["policies"] and is_off(value):
            _switch_off(node, last, key)
            return
        if not last.isdigit():
            _step(node, last, key)
        elif int(last) < len(node):
            node[int(last)] = value
            return
        raise ConfigError(
            f"--set {key}: name a policy's parameter, policies.NAME.PARAMETER=value, or switch it "
            "off, policies.NAME=off"
        )
    if not isinstance(node, dict):
        raise ConfigError(f"--set {key}: {'.'.join(path)} is a value, not a section")
    node[last] = value


def _defaults(judge: object) -> JsonObject:
    """A config's defaults, beside this judge; whatever is wrong with it is not said here."""
    unjudged = isinstance(judge, dict) and judge.get("kind") == "none"
    given = {"judge": {"kind": "none"}} if unjudged else {}
    blank = Config.model_validate({"input": {"format": "stdlib"}, **given})
    return blank.model_dump(mode="json")


def _name_promise(policies: list[object], name: str) -> None:
    """Have a promise in a list that leaves it out, where it is in force all the same."""
    if name in PROMISES and not any(isinstance(e, dict) and name in e for e in policies):
        policies.insert(0, {name: {}})


def _switch_off(policies: list[object], name: str, key: str) -> None:
    """Take a policy out of the list; a promise stays in, as off, so that it is refused."""
    _step(policies, name, key)
    mine = [entry for entry in policies if isinstance(entry, dict) and name in entry]
    for entry in mine:
        if name in PROMISES:
            entry[name] = False
        else:
            policies.remove(entry)


def _step(node: object, name: str, key: str) -> object:
    if isinstance(node, list):
        for entry in node:
            if isinstance(entry, dict) and name in entry:
                entry[name] = entry[name] or {}
                return entry[name]
        if name.isdigit() and int(name) < len(node):
            return node[int(name)]
        names = ", ".join(str(name) for e in node if isinstance(e, dict) for name in e)
        raise ConfigError(f"--set {key}: there is no {name!r} here; there are {names}")
    if not isinstance(node, dict):
        raise ConfigError(f"--set {key}: {name} is not a section")
    if node.get(name) is None:
        node[name] = {}
    return node[name]


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _section(location: Sequence[int | str]) -> tuple[list[type[BaseModel]], list[str]]:
    """Models of the section that holds the last element of an error's location, and the keys to it.

    Which of several models a section is of stands in a location too, as no key of the config.
    """
    models: list[type[BaseModel]] = [Config]
    keys = []
    for name in location[:-1]:
        key = str(name)
        fields = [model.model_fields[key] for model in models if key in model.model_fields]
        if fields:
            models = [found for field in fields for found in _models(field.annotation)]
            keys.append(key)
            continue
        tagged = [
            model
            for model in models
            for tag in ("format", "kind")
            if tag in model.model_fields
            and name in typing.get_args(model.model_fields[tag].annotation)
        ]
        models = tagged or models
        if not tagged and not key.startswith(_KINDS):
            keys.append(key)
    return models, keys


def explain(problem: ErrorDetails) -> str:
    """One problem of a config as `key: what is wrong`."""
    location = problem["loc"]
    _, keys = _section((*location, ""))
    key = ".".join(keys)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "policy":
        return f"policies.{message}"
    if problem["type"] == "extra_forbidden":
        known = sorted({name for model in _section(location)[0] for name in model.model_fields})
        nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.4)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known keys: {', '.join(known)}"
        return f"{key}: unknown key; {hint}"
    if problem["type"] == "missing":
        return f"{key}: missing; it has no default"
    if problem["type"].startswith("union_tag"):
        tag = str(problem["ctx"]["discriminator"]).strip("'")
        if problem["type"] == "union_tag_not_found":
            return f"{key}.{tag}: missing; it has no default"
        found, known = problem["ctx"]["tag"], problem["ctx"]["expected_tags"].replace("'", "")
        nearest = difflib.get_close_matches(found, known.split(", "), n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"there are {known}"
        return f"{key}.{tag}: there is no {found!r:.80}; {hint}"
    return f"{key}: {reason(problem)}" if key else message

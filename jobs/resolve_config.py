"""What stands for a config on the command line: YAML, a preset's name, or data to look at."""

import difflib
import glob
import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from negmine.jobs.choices import Choices
from negmine.jobs.inspection import hub
from negmine.jobs.inspection.inspection import Inspection, inspect
from negmine.jobs.load_config import MOST_BYTES, config_file, config_of, presets, read_config
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.transforms import storage
from negmine.transforms.storage.suffixes import kind_of_file

_KINDS = ("none", "fusion", "cross_encoder", "late_interaction")
"""Kinds of judges that need no further key."""

_OTHERS = ("bi_encoder", "precomputed", "cascade", "vote")
_YAML = (".yaml", ".yml")
_CONFIGS = (*_YAML, "", ".conf", ".cfg", ".config")


@dataclass(frozen=True)
class Resolved:
    """A config; the inspection where it comes of data; a sentence where a name had two meanings."""

    values: JsonObject
    name: str
    inspection: Inspection | None = None
    note: str = ""

    def config(self, choices: Choices) -> Config:
        """The validated config. Raises ConfigError."""
        return config_of(self.values, self.name, choices.settings, choices.output)


def resolve(argument: str, choices: Choices) -> Resolved:
    """The raw config that an argument and the options beside it stand for.

    A YAML file or a preset's name is read; a folder, a file of data or the hub's name of a data
    set is looked at. Raises ConfigError, and DataError where data cannot be told.
    """
    if _is_looked_at(argument):
        found = inspect(argument, choices.pool, _known(choices))
        values = dict(found.values)
        resolved = Resolved(with_choices(values, choices), argument, found)
    else:
        _refuse_data_options(argument, choices)
        values = with_choices(read_config(argument), choices)
        resolved = Resolved(values, argument, note=_two_meanings(argument))
    return resolved


def _is_looked_at(argument: str) -> bool:
    if argument.lower().endswith(_YAML) or argument in presets():
        return False
    place = storage.local_path(argument)
    if storage.is_dir(place):
        return True
    suffix = Path(argument).suffix.lower()
    if storage.is_file(place):
        # Without a suffix of data it may be a config of any name.
        return suffix not in _CONFIGS and not _is_json_config(argument)
    return bool(kind_of_file(argument)) or glob.has_magic(argument) or hub.is_name(argument)


def _is_json_config(path: str) -> bool:
    """Whether a .json file is a config: one object with the key input."""
    place = storage.local_path(path)
    if kind_of_file(path) != "jsonl" or not str(path).lower().endswith(".json"):
        return False
    try:
        with storage.fetch(place).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        value = json.loads(data) if len(data) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("input"), dict)


def _known(choices: Choices) -> dict[str, object]:
    """Keys of `input` that options say."""
    found: dict[str, object] = {}
    for setting in choices.settings:
        key, separator, text = setting.partition("=")
        section, dot, name = key.partition(".")
        if separator and dot and section == "input" and "." not in name:
            try:
                found[name] = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ConfigError(
                    f"--set {setting!r:.200}: the value is not YAML: {error}"
                ) from None
    found |= {"query": choices.query} if choices.query else {}
    several = list(choices.positive)
    found |= {"positive": several[0] if len(several) == 1 else several} if several else {}
    return found | ({"split": choices.split} if choices.split else {})


def _refuse_data_options(argument: str, choices: Choices) -> None:
    """Raise ConfigError for options that say what is in data, where there is a config."""
    asked = {
        "pool": choices.pool,
        "query": choices.query,
        "positive": choices.positive,
        "split": choices.split,
    }
    for name, value in asked.items():
        if value:
            key = f"--set input.{name}=..."
            raise ConfigError(
                f"--{name} goes with data, and {argument} is a config; write {key} instead"
            )


def _two_meanings(argument: str) -> str:
    """A sentence on what was read where the argument could have meant something else too."""
    if argument not in presets():
        return ""
    file = config_file(argument)
    if file != str(presets()[argument]):
        return f"{argument}: read {file} of this folder, not the preset of that name"
    if storage.exists(storage.local_path(argument)):
        return f"{argument}: the preset of that name; ./{argument} names what is in this folder"
    return ""


def with_choices(values: JsonObject, choices: Choices) -> JsonObject:
    """A raw config with student, judge and number of negatives as the options say.

    Raises ConfigError for a judge that needs more keys, or a config without the tier hard.
    """
    made = dict(values)
    if choices.student is not None:
        kept = _section(made, "student")
        kept = {key: kept[key] for key in kept if key not in ("vectors", "models")}
        made["student"] = {**kept, "model": choices.student}
    if choices.judge is not None:
        made["judge"] = _judge(_section(made, "judge"), choices.judge)
    if choices.negatives is not None:
        made["tiers"] = _tiers(made.get("tiers"), choices.negatives)
    return made


def _section(values: JsonObject, key: str) -> JsonObject:
    section = values.get(key)
    return dict(section) if isinstance(section, dict) else {}


def _judge(section: JsonObject, asked: str) -> JsonObject:
    if asked in _OTHERS:
        raise ConfigError(
            f"--judge {asked} needs more keys; write a judge section, see docs/judges.md, or name "
            f"a cross-encoder or one of {', '.join(_KINDS)}"
        )
    if asked in _KINDS:
        return section if section.get("kind") == asked else {"kind": asked}
    near = difflib.get_close_matches(asked, (*_KINDS, *_OTHERS), 1, cutoff=0.7)
    if near and not storage.exists(storage.local_path(asked)):
        raise ConfigError(
            f"--judge {asked} is no kind of judge; did you mean {near[0]}? There are "
            f"{', '.join(_KINDS)}; anything else is taken for a cross-encoder's folder or name"
        )
    same = section.get("kind", "cross_encoder") == "cross_encoder"
    return {**(section if same else {}), "kind": "cross_encoder", "model": asked}


def _tiers(tiers: object, negatives: int) -> JsonObject:
    if tiers is None:
        fields = Config.model_fields["tiers"].default
        tiers = {
            name: tier.model_dump(mode="json", exclude_unset=True) for name, tier in fields.items()
        }
    if not isinstance(tiers, dict) or not isinstance(tiers.get("hard"), dict):
        names = ", ".join(map(str, tiers)) if isinstance(tiers, dict) else "none"
        raise ConfigError(
            f"--negatives sets the quota of the tier hard, and this config has the tiers {names}; "
            "write --set tiers.NAME.quota=N"
        )
    return {**tiers, "hard": {**tiers["hard"], "quota": negatives}}

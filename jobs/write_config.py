"""Writes the config that data was understood as."""

import copy
from pathlib import Path

from negmine.jobs.load_config import config_of
from negmine.jobs.resolve_config import Choices, Resolved
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_text
from negmine.transforms.storage.targets import target


def write_config(found: Resolved, choices: Choices, output: Path | None, force: bool) -> Path:
    """Write the commented config of looked-at data; returns the file.

    `output` None is the data's name with .yaml in the working directory. Raises ConfigError where
    there is no data, the file is there and not to be replaced, or the config is none.
    """
    inspection = found.inspection
    if inspection is None:
        raise ConfigError(
            f"{found.name} is a config already; copy it, or print it whole: negmine config "
            f"{found.name}"
        )
    values: JsonObject = copy.deepcopy(found.values)
    config_of(values, found.name, choices.settings)
    name = Path(found.name.rstrip("/")).name
    path = target(output or f"{name.split('.')[0] or name}.yaml", "--output", (".yaml", ".yml"))
    if storage.exists(path) and not force:
        raise ConfigError(f"{path} is there already; --force replaces it, --output names another")
    write_text(path, inspection.yaml(values))
    return path

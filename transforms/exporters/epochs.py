"""Reads what `negmine export --epochs` wrote: one file an epoch, in their order."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from datasets import Dataset

INDEX = "epochs.json"


class Epochs:
    """The samples of an export, one an epoch.

        for epoch, train in enumerate(negmine.Epochs("out/exports/run-n_tuple-epochs")):
            ...  # `train` is a datasets.Dataset

    Raises ConfigError where the folder holds none, StorageError where it cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        file = self.path / INDEX
        if not file.is_file():
            raise ConfigError(
                f"{self.path} holds no {INDEX}; name a folder that negmine export --epochs wrote"
            )
        try:
            self.facts: JsonObject = json.loads(file.read_text(encoding="utf-8"))
            named = [str(entry["file"]) for entry in self.facts["files"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{file} cannot be read ({error}); export again") from error
        self._files = [self.path / name for name in named if name.startswith("epoch-")]
        self._others = {Path(name).stem: self.path / name for name in named}

    def __len__(self) -> int:
        """Number of epochs."""
        return len(self._files)

    def file(self, epoch: int) -> Path:
        """The file of an epoch, from 0; beyond the last it begins again with the first."""
        return self._files[epoch % len(self._files)]

    def __getitem__(self, epoch: int) -> "Dataset":
        """The sample of an epoch as a `datasets.Dataset`. Raises IndexError beyond the last."""
        if not -len(self) <= epoch < len(self):
            raise IndexError(f"epoch {epoch} of {len(self)}")
        return _dataset(self._files[epoch])

    def __iter__(self) -> Iterator["Dataset"]:
        return (_dataset(file) for file in self._files)

    def part(self, name: str) -> "Dataset":
        """What `--split` held back, as a `datasets.Dataset`. Raises ConfigError."""
        if name not in self._others:
            raise ConfigError(f"{self.path} has no part {name!r}; it has {', '.join(self._others)}")
        return _dataset(self._others[name])


def _dataset(file: Path) -> "Dataset":
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise ConfigError(
            "an epoch is handed out as a data set of the package datasets; pip install datasets, "
            "or read the files that `file` names"
        ) from error
    kind = "parquet" if file.suffix == ".parquet" else "json"
    return load_dataset(kind, data_files=str(file), split="train")

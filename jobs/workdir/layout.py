"""What is where in a work directory, and what processes that were killed leave behind."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from negmine.pipelines.graph import STAGES as _STAGES
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import is_mirrored, is_url, shown
from negmine.transforms.data.datasets import MANIFEST
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.storage.places import local_path

PAIR_SCORES = "pair_scores"
STAGES = (*_STAGES, PAIR_SCORES)
OF_SEVERAL = {name: stage.writes for name, stage in _STAGES.items() if stage.several}
"""Stages whose artifact is several data sets, each in a folder of its own."""

ABANDONED = 3600.0
"""Seconds after which a temporary file is taken to be a killed process's."""

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_OWNED = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)(-\d+)?\.tmp")
_WRITTEN = re.compile(r"\..+\.\d+(-\d+)?\.tmp|\..+\.probe")
_MAPPED = re.compile(r".+\.building")


def refuse_stores(path: Path, command: str) -> None:
    """Raise ConfigError for a place in a store, where nothing keeps other machines' runs out."""
    if is_url(path) or is_mirrored(path):
        raise ConfigError(
            f"{command} works on this machine's folders only, not on {shown(str(local_path(path)))}"
            "; docs/object-stores.md says what to delete there by hand"
        )


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Entries of a folder by name; none where it is missing or a symbolic link."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def folders(folder: Path) -> list[Path]:
    """Folders in a folder, by name; symbolic links are none."""
    return [Path(e.path) for e in entries(folder) if e.is_dir(follow_symlinks=False)]


def size(path: Path) -> int:
    """Bytes of a file or of the files below a folder, symbolic links not followed."""
    try:
        total = 0 if path.is_dir() and not path.is_symlink() else path.lstat().st_size
    except FileNotFoundError:
        return 0
    return total + sum(size(Path(entry.path)) for entry in entries(path))


def touched(path: Path) -> float:
    """Time of the latest change to a file, or to anything in a folder."""
    try:
        latest = path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
    return max([latest, *(touched(Path(entry.path)) for entry in entries(path))])


def is_workdir(path: Path) -> bool:
    """Whether a folder holds a stage's folder."""
    return any((path / stage).is_dir() for stage in STAGES)


def data_sets(artifact: Path) -> list[Path]:
    """Folders of the data sets of an artifact `<workdir>/<stage>/<fingerprint>`."""
    names = OF_SEVERAL.get(artifact.parent.name)
    return [artifact / name for name in names] if names else [artifact]


def is_finished(artifact: Path) -> bool:
    """Whether all its manifests are there; a store of pair scores is never unfinished."""
    if artifact.parent.name == PAIR_SCORES:
        return True
    return all((folder / MANIFEST).is_file() for folder in data_sets(artifact))


def artifacts(workdir: Path) -> list[Path]:
    """Artifacts of every stage, finished or not; symbolic links are left out."""
    return [
        folder
        for stage in STAGES
        for folder in folders(workdir / stage)
        if _FINGERPRINT.fullmatch(folder.name)
    ]


def abandoned(path: Path) -> bool:
    """Whether a temporary file or folder belongs to no process that lives.

    A folder `.NAME.PID.tmp` belongs to the process PID of this machine; anything else is taken to
    be in use for an hour after its last change.
    """
    owned = _OWNED.fullmatch(path.name)
    if owned and path.is_dir():
        return not _alive(int(owned["process"]))
    return time.time() - touched(path) > ABANDONED


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def temporary(folder: Path) -> Iterator[Path]:
    """Temporary files and folders below a folder of a work directory."""
    for entry in entries(folder):
        if _WRITTEN.fullmatch(entry.name) or _MAPPED.fullmatch(entry.name):
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            yield from temporary(Path(entry.path))


def temporary_in(*flat: Path) -> Iterator[Path]:
    """Temporary files and folders in these folders, not in those below them."""
    for folder in flat:
        for entry in entries(folder):
            if _WRITTEN.fullmatch(entry.name):
                yield Path(entry.path)


def temporary_in_output(output: Path) -> Iterator[Path]:
    """Temporary files and folders of publishing, exporting and relabelling."""
    return temporary_in(output, output / "runs", output / "exports")


def pair_score_stores(judge: JsonObject) -> list[str]:
    """Stores of pair scores of a judge's key and of the judges in it, relative to the workdir."""
    if judge.get("kind") == "cross_encoder":
        return [f"pair_scores/{fingerprint(judge)}"]
    parts = filter(None, (*judge.get("judges", ()), judge.get("fallback")))
    return [store for part in parts for store in pair_score_stores(part)]

"""`negmine gc`: remove what no published run needs. Lists first; deletes only when told to."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from negmine.jobs.runs.published import MANIFEST as RUN_MANIFEST
from negmine.jobs.runs.published import RUN_ID, Run, current_id, list_runs
from negmine.jobs.workdir.check_parts import read_json
from negmine.jobs.workdir.garbage import Garbage, Item
from negmine.jobs.workdir.layout import (
    PAIR_SCORES,
    STAGES,
    abandoned,
    artifacts,
    data_sets,
    entries,
    is_finished,
    is_workdir,
    pair_score_stores,
    refuse_stores,
    size,
    temporary,
    temporary_in,
    temporary_in_output,
    touched,
)
from negmine.jobs.workdir.locks import at_work
from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms.data.datasets import MANIFEST
from negmine.transforms.storage.locks import RUNS_LOCK, exclusive_lock

UNFINISHED_KEPT = 86_400.0
"""Seconds after its last change until an unfinished artifact goes."""

_REUSED_BY_ROW = ("embed", PAIR_SCORES)


@dataclass(frozen=True)
class Wanted:
    """What to look for.

    Attributes:
        outputs: folders that hold runs/.
        workdir: the work directory; None where there is none within the first output.
        keep: how many of the latest runs of each output to keep beside the one in force.
        runs: whether older ones go.
        everything: whether what only row-level reuse would use goes too.
    """

    outputs: tuple[Path, ...]
    workdir: Path | None
    keep: int | None = None
    runs: bool = False
    everything: bool = False

    @staticmethod
    def of(
        outputs: Sequence[Path],
        workdir: Path | None = None,
        keep: int | None = None,
        runs: bool = False,
        everything: bool = False,
    ) -> "Wanted":
        """Check the folders. Raises ConfigError for one that is not what it is said to be."""
        for path in (*outputs, *([workdir] if workdir else [])):
            refuse_stores(path, "gc")
        if runs and keep is None:
            raise ConfigError("--runs removes runs beyond --keep; say how many to keep")
        for output in outputs:
            if not (output / "runs").is_dir():
                raise ConfigError(
                    f"{output} holds no runs/; give the folder that `negmine mine` wrote to"
                )
        if workdir is None:
            default = outputs[0].resolve() / "work"
            inside = default.is_dir() and not default.is_symlink()
            return Wanted(_resolved(outputs), default if inside else None, keep, runs, everything)
        if not is_workdir(workdir):
            raise ConfigError(f"{workdir} is no work directory: no stage's folder is in it")
        return Wanted(_resolved(outputs), workdir.resolve(), keep, runs, everything)


def _resolved(paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path.resolve() for path in paths))


def find_garbage(wanted: Wanted) -> Garbage:
    """What no run needs; changes nothing.

    Raises StorageError where a run's manifest cannot be read: what it needs is not known then.
    """
    found = _find(wanted)
    if wanted.workdir is not None and at_work(wanted.workdir):
        found.notes.append(
            f"another process works in {wanted.workdir} now; --delete is refused until it has ended"
        )
    return found


def _find(wanted: Wanted) -> Garbage:
    found = Garbage()
    needed_by: list[Run] = []
    for output in wanted.outputs:
        runs = _all_runs(output)
        old = _old_runs(output, runs, wanted.keep)
        found.old_runs += [_item(run.path, f"older than the {wanted.keep} to keep") for run in old]
        needed_by += [run for run in runs if not (wanted.runs and run in old)]
        found.items += _leftovers(temporary_in_output(output))
    if wanted.runs:
        found.items = found.old_runs + found.items
    _note_other_workdirs(wanted, needed_by, found)
    if wanted.workdir is not None:
        _sort_artifacts(wanted, wanted.workdir, needed_by, found)
    found.items = list({item.path: item for item in found.items}.values())
    return found


def _item(path: Path, why: str) -> Item:
    return Item(path, size(path), why)


def _all_runs(output: Path) -> list[Run]:
    runs = list_runs(output)
    unknown = {run.path for run in runs if not isinstance(run.manifest.get("artifacts"), dict)}
    named = [path for path in (output / "runs").iterdir() if RUN_ID.fullmatch(path.name)]
    unknown |= {path for path in named if path.is_dir()} - {run.path for run in runs}
    for path in sorted(unknown):
        raise StorageError(
            f"{path / RUN_MANIFEST} names no artifacts, so what the run needs is not known; "
            f"nothing was removed. See negmine doctor {output}"
        )
    return runs


def _old_runs(output: Path, runs: Sequence[Run], keep: int | None) -> list[Run]:
    if keep is None or (output / "runs").is_symlink():
        return []
    current = current_id(output)
    latest = {run.run_id for run in runs[max(0, len(runs) - keep) :]}
    old = [run for run in runs if run.run_id not in {*latest, current}]
    return [run for run in old if not run.path.is_symlink()]


def _note_other_workdirs(wanted: Wanted, runs: Sequence[Run], found: Garbage) -> None:
    others = {run.workdir for run in runs} - {wanted.workdir}
    for other in sorted(path for path in others if path.is_dir()):
        found.notes.append(f"{other} is a work directory too; look there with --workdir {other}")
    for output in wanted.outputs:
        if (output / "runs").is_symlink():
            found.notes.append(f"{output / 'runs'} is a symbolic link; nothing in it is removed")
    workdir = wanted.workdir
    if workdir is None:
        return
    if not any(workdir.is_relative_to(output) for output in wanted.outputs):
        found.notes.append(
            f"{workdir} lies outside; only runs of the outputs given here keep what is in it"
        )
    for entry in entries(workdir):
        if entry.is_symlink() and entry.name in STAGES:
            found.notes.append(f"{entry.path} is a symbolic link; nothing in it is removed")


def _sort_artifacts(wanted: Wanted, workdir: Path, runs: Sequence[Run], found: Garbage) -> None:
    needed = _needed(workdir, runs)
    for path in artifacts(workdir):
        why = "" if path in needed else _why(path)
        by_row = is_finished(path) and path.parent.name in _REUSED_BY_ROW
        if why and by_row and not wanted.everything:
            found.kept.append(_item(path, "only row-level reuse would use it"))
        elif why:
            found.items.append(_item(path, why))
            continue
        found.items += _leftovers(temporary(path))
    stages = (workdir / stage for stage in STAGES)
    found.items += _leftovers(temporary_in(workdir, *stages))


def _why(artifact: Path) -> str:
    """Why an artifact that no run needs goes; empty where it may still be finished."""
    if is_finished(artifact):
        return "no run needs it"
    old = time.time() - touched(artifact) > UNFINISHED_KEPT
    return "unfinished for over a day" if old else ""


def _leftovers(paths: Iterable[Path]) -> list[Item]:
    return [_item(path, "left by a process that was killed") for path in paths if abandoned(path)]


def _needed(workdir: Path, runs: Sequence[Run]) -> list[Path]:
    """Artifacts that the runs name, and those that they were made from."""
    by_name: dict[str, list[Path]] = {}
    for path in artifacts(workdir):
        by_name.setdefault(path.name, []).append(path)
    needed: dict[Path, None] = {}
    todo = [path for run in runs for path in _of_run(run, by_name)]
    while todo:
        path = todo.pop()
        if path not in needed:
            needed[path] = None
            for folder in data_sets(path):
                manifest = read_json(folder / MANIFEST)
                if isinstance(manifest, dict):
                    todo += _mentioned(manifest.get("key"), by_name)
    return sorted(needed)


def _of_run(run: Run, by_name: dict[str, list[Path]]) -> Iterator[Path]:
    manifest = run.manifest
    named = [name for name in manifest["artifacts"].values() if isinstance(name, str)]
    named += pair_score_stores(manifest.get("judge") or {})
    wanted = {tuple(Path(name).parts[:2]) for name in named}
    # A run that names no index was published before manifests named every artifact.
    whole = "bm25_index" in manifest["artifacts"]
    for paths in by_name.values():
        for path in paths:
            stage = path.parent.name
            if (stage, path.name) in wanted or (not whole and stage in {"bm25_index", "calibrate"}):
                yield path
    yield from _mentioned(manifest.get("judge"), by_name)


def _mentioned(value: object, by_name: dict[str, list[Path]]) -> list[Path]:
    if isinstance(value, str):
        return by_name.get(value.partition("/")[0], [])
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [path for part in parts for path in _mentioned(part, by_name)]


def collect(wanted: Wanted) -> Garbage:
    """Find what no run needs and remove it.

    Raises StorageError, before anything is removed, while another process works there, with `runs`
    also while one reads or publishes a run, or where a path leads out of the folders given.
    """
    with ExitStack() as held:
        if wanted.workdir is not None:
            held.enter_context(exclusive_lock(wanted.workdir))
        for output in wanted.outputs if wanted.runs else ():
            held.enter_context(exclusive_lock(output, RUNS_LOCK))
        found = _find(wanted)
        roots = [*wanted.outputs, *([wanted.workdir] if wanted.workdir else [])]
        for item in found.items:
            _refuse_outside(item.path, roots)
        for item in found.items:
            _remove(item.path)
    return found


def _refuse_outside(path: Path, roots: Sequence[Path]) -> None:
    place = path.parent.resolve() / path.name
    if not any(place.is_relative_to(root) for root in roots):
        raise StorageError(f"{path} leads to {place}, outside; nothing was removed")


def _remove(path: Path) -> None:
    """Remove a file or folder; a folder loses its manifests and its name first.

    So a removal that is cut short leaves nothing that looks whole.
    """
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
            return
        gone = path
        if not path.name.endswith((".tmp", ".building")):
            for folder in data_sets(path):
                (folder / MANIFEST).unlink(missing_ok=True)
            gone = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            os.rename(path, gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise StorageError(
            f"cannot remove {path}: {error.strerror}; what was removed before is gone"
        ) from error

"""Published runs: found by path or name, listed, and put in force."""

import json
import os
import re
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from negmine.jobs.runs.trust import MOST_MANIFEST, check_files, check_manifest, vouched
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_text
from negmine.transforms.storage.locks import RUNS_LOCK, shared_lock, sharing, writing

MANIFEST = "manifest.json"
REPORT = "report.html"
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Run:
    """One published run: the folder `<output>/runs/<run_id>`."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def output(self) -> Path:
        """The folder that holds `runs/` and `current`."""
        return self.path.parent.parent

    @property
    def kept(self) -> tuple[Path, ...]:
        """Folders in which nothing but exports/ takes files that a user names."""
        output = (self.output,) if self.path.parent.name == "runs" else ()
        return (self.path, *output, self.workdir)

    @property
    def complete(self) -> bool:
        """Whether its manifest was written, which is the last thing that publishing does."""
        return storage.is_file(self.path / MANIFEST)

    @cached_property
    def manifest(self) -> JsonObject:
        """The manifest. Raises StorageError where it is missing or not a JSON object."""
        file = self.path / MANIFEST
        try:
            if storage.fetch(file).stat().st_size > MOST_MANIFEST:
                raise ValueError(f"over {MOST_MANIFEST:,} bytes")
            value = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise StorageError(
                f"{file} cannot be read ({error}); the run is not complete. "
                "Mine it again, or name another run"
            ) from error
        if not isinstance(value, dict):
            raise StorageError(f"{file} does not hold a JSON object; mine the run again")
        check_manifest(file, value)
        return value

    @property
    def quotas(self) -> dict[str, int]:
        """Negatives wanted per query by tier, hardest tier first."""
        tiers = self.manifest.get("config", {}).get("tiers", {})
        order = self.manifest.get("tier_order") or list(tiers)
        return {tier: int(tiers.get(tier, {}).get("quota", 0)) for tier in order}

    @property
    def workdir(self) -> Path:
        """Where the stage outputs are: `output.workdir`, relative to the output, else `work`."""
        named = self.manifest.get("config", {}).get("output", {}).get("workdir")
        place = storage.local_path(named or "work")
        return (self.output / place).resolve()

    def artifacts(self) -> dict[str, Path]:
        """Stage outputs still on disk, by name (`documents`, `queries`, `candidates_bm25`, ...)."""
        found = {name: path for name, path in self._named_artifacts() if storage.is_dir(path)}
        for path in found.values():
            check_files(path)
        return found

    def missing_artifact(self, name: str) -> str:
        """Why a stage output cannot be read, as a sentence for an error message."""
        if not vouched(self.workdir, self.output):
            return (
                f"run {self.run_id} names the work directory {self.workdir}, outside {self.output} "
                "and not made by a run there"
            )
        path = dict(self._named_artifacts()).get(name)
        if path is None:
            return f"the manifest of run {self.run_id} does not name {name}"
        return f"the work directory no longer holds {name} ({path} is missing)"

    def _named_artifacts(self) -> list[tuple[str, Path]]:
        root = self.workdir
        if not vouched(root, self.output):
            return []
        named = []
        for name, relative in (self.manifest.get("artifacts") or {}).items():
            if isinstance(relative, str):
                path = (root / relative).resolve()
                if path.is_relative_to(root):
                    named.append((name, path))
        return named


def _folders(output: Path) -> list[Path]:
    return [path for path in storage.folders(output / "runs") if RUN_ID.fullmatch(path.name)]


def list_runs(output: Path) -> list[Run]:
    """Complete runs of an output folder, oldest first. Raises ConfigError: it has no runs/."""
    if not storage.is_dir(output / "runs"):
        raise ConfigError(f"{output} holds no runs/; give the folder that `negmine mine` wrote to")
    runs = [run for run in map(Run, _folders(output)) if run.complete]
    return sorted(runs, key=lambda run: (str(run.manifest.get("created", "")), run.run_id))


def current_id(output: Path) -> str | None:
    """The run in force, or None where `current` is not there. Raises StorageError for damage."""
    file = output / "current"
    try:
        return storage.fetch(file).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{file} cannot be read ({error}), so no run is in force. Put one in force: negmine "
            f"runs promote {output} RUN_ID"
        ) from error


def current_if_readable(output: Path) -> str | None:
    """`current_id`, None for damage too: for what lists runs or puts one in force."""
    try:
        return current_id(output)
    except StorageError:
        return None


def _existing(output: Path) -> str:
    names = sorted(path.name for path in _folders(output) if Run(path).complete)
    return f"it has {', '.join(names)}" if names else "it has no complete run yet"


def _by_id(output: Path, run_id: str) -> Run:
    run = Run(output / "runs" / run_id)
    if RUN_ID.fullmatch(run_id) and run.complete:
        check_files(run.path)
        return run
    if RUN_ID.fullmatch(run_id) and storage.is_dir(run.path):
        problem = f"run {run_id} in {output} is not complete: it has no {MANIFEST}"
    else:
        problem = f"no run {run_id!r} in {output}"
    raise ConfigError(f"{problem}; {_existing(output)}")


def find_run(reference: str) -> Run:
    """The run that `reference` names: its folder, `OUTPUT` (its current run) or `OUTPUT:run_id`.

    As long as it lives, `negmine gc` deletes no run beside it. Raises ConfigError, naming the runs
    that exist, where there is no such complete run.
    """
    found = _find_run(reference)
    if storage.is_mirrored(found.output):
        return found
    lock = shared_lock(found.output / RUNS_LOCK, create=False)
    if lock is not None:
        try:
            found = _find_run(reference)
        except BaseException:
            os.close(lock)
            raise
        weakref.finalize(found, os.close, lock)
    return found


def _find_run(reference: str) -> Run:
    path = storage.local_path(reference)
    if storage.is_dir(path):
        path = path.resolve()
        if Run(path).complete:
            check_files(path)
            return Run(path)
        if storage.is_dir(path / "runs"):
            named = current_id(path)
            if named is None:
                raise ConfigError(f"{path} has no current run; {_existing(path)}: name one")
            return _by_id(path, named)
        if path.parent.name == "runs":
            return _by_id(path.parent.parent, path.name)
        raise ConfigError(f"{path} is neither a run nor a folder of runs: no {MANIFEST}, no runs/")
    output, separator, run_id = reference.rpartition(":")
    if separator and storage.is_dir(place := storage.local_path(output)):
        return _by_id(place.resolve(), run_id)
    if path.parent.name == "runs" and storage.is_dir(path.parent):
        return _by_id(path.parent.parent.resolve(), path.name)
    raise ConfigError(f"{reference} does not exist; give a run's folder, OUTPUT or OUTPUT:run_id")


def promote(output: Path, run_id: str) -> Run:
    """Put a complete run in force by replacing `current` in one step.

    It is not deleted meanwhile, and who does the same waits. Raises ConfigError where there is no
    such run, StorageError where it cannot be read or `current` cannot be written.
    """
    if not storage.is_dir(output / "runs"):
        return _promote(output, run_id)
    with sharing(output / RUNS_LOCK), writing(output / "current"):
        return _promote(output, run_id)


def _promote(output: Path, run_id: str) -> Run:
    run = _by_id(output, run_id)
    published = run.manifest.get("run_id")
    if published != run_id:
        raise StorageError(f"{run.path / MANIFEST} belongs to run {published!r}, not {run_id!r}")
    write_text(output / "current", run_id + "\n", advice="`current` is as it was")
    return run

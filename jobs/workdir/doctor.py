"""`negmine doctor`: artifacts and published runs against their manifests; changes nothing."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.runs.published import RUN_ID, Run
from negmine.jobs.workdir.check_parts import (
    PLAN,
    Counted,
    Fault,
    check_data_set,
    part_rows,
    read_json,
)
from negmine.jobs.workdir.check_runs import (
    InForce,
    check_current,
    check_run,
    named_and_gone,
    read_current,
)
from negmine.jobs.workdir.diagnosis import Diagnosis, Finding, Kind
from negmine.jobs.workdir.layout import (
    OF_SEVERAL,
    PAIR_SCORES,
    STAGES,
    abandoned,
    artifacts,
    data_sets,
    entries,
    folders,
    is_finished,
    is_workdir,
    size,
    temporary,
    temporary_in,
    temporary_in_output,
)
from negmine.jobs.workdir.locks import at_work
from negmine.schemas.errors import ConfigError
from negmine.transforms import storage
from negmine.transforms.data.columns import LOCAL
from negmine.transforms.data.datasets import MANIFEST
from negmine.transforms.judging.pair_scores import PAIR_SCORES as PAIR_SCORES_SCHEMA
from negmine.transforms.judging.pair_scores import ROW_BYTES
from negmine.transforms.storage.locks import LOCK, RUNS_LOCK, is_locked, sharing

_BY_POSITION = {"documents", "queries", "lengths"}
_COUNTS = "counts.json"


def diagnose(path: Path, deep: bool = False) -> Diagnosis:
    """Check a work directory, or an output folder with its work directories.

    Args:
        path: WORKDIR or OUTPUT.
        deep: read every page of every part and verify its checksum.

    What lies in a store is fetched first, unless this machine's mirror has it already.

    Raises ConfigError where the path is neither.
    """
    place = storage.local_path(path)
    if not storage.is_mirrored(place):
        return _diagnose(path, deep)
    found = _diagnose(storage.fetch_tree(place), deep)
    if not found.sound:
        # A copy on this machine may be what is damaged, not the object.
        for finding in found.findings:
            storage.forget(finding.path)
        found = _diagnose(storage.fetch_tree(place), deep)
    return found


def _diagnose(path: Path, deep: bool) -> Diagnosis:
    output, workdir = (path / "runs").is_dir(), is_workdir(path)
    if not output and not workdir:
        raise ConfigError(
            f"{path} is neither a work directory (no stage's folder) nor an output (no runs/)"
        )
    found = Diagnosis(path, deep)
    workdirs = [path] if workdir else []
    # What is looked at is not deleted meanwhile; a lock file that is not there is not made.
    if output:
        with sharing(path / RUNS_LOCK, create=False):
            workdirs += [other for other in _output(found, path) if other not in workdirs]
    for root in workdirs:
        working = at_work(root)
        with sharing(root / LOCK, create=False):
            _workdir(found, root, working)
    return found


def _output(found: Diagnosis, output: Path) -> list[Path]:
    """Check what is published; returns the work directories that its runs name."""
    workdirs = {(output / "work").resolve(): output / "work"}
    sound: dict[str, Run] = {}
    current = read_current(output)
    for folder in folders(output / "runs"):
        if RUN_ID.fullmatch(folder.name):
            found.runs += 1
            run = Run(folder)
            faults = list(check_run(run, found.counted, found.deep))
            found.findings += [Finding(_kind(f), f.path, f.what, f.remove) for f in faults]
            if not any(fault.damage for fault in faults):
                sound[run.run_id] = run
                workdirs.setdefault(run.workdir, run.workdir)
                found.findings += [Finding(Kind.NOTE, folder, gone) for gone in named_and_gone(run)]
    _current(found, output, current, sound)
    _leftovers(found, temporary_in_output(output))
    return [storage.fetch_tree(path) for path in workdirs.values() if storage.is_dir(path)]


def _kind(fault: Fault) -> Kind:
    return Kind.DAMAGE if fault.damage else Kind.NOTE


def _current(found: Diagnosis, output: Path, current: InForce, sound: dict[str, Run]) -> None:
    wrong, file = check_current(output, current, sound), output / "current"
    if not wrong:
        return
    kind = Kind.DAMAGE if current.named or current.wrong else Kind.NOTE
    if sound:
        latest = max(sound.values(), key=lambda r: (str(r.manifest.get("created")), r.run_id))
        command = ("negmine", "runs", "promote", str(output), latest.run_id)
        found.findings.append(Finding(kind, file, wrong, command=command))
    else:
        found.findings.append(Finding(kind, file, wrong, (file,)))


def _leftovers(found: Diagnosis, paths: Iterator[Path]) -> None:
    for path in paths:
        if abandoned(path):
            what = f"left by a process that was killed, {size(path):,} bytes"
            found.findings.append(Finding(Kind.LEFTOVER, path, what, (path,)))


def _workdir(found: Diagnosis, root: Path, working: bool) -> None:
    if working:
        what = "a run is at work here; what it is making is listed as unfinished"
        found.findings.append(Finding(Kind.NOTE, root, what))
    for artifact in artifacts(root):
        found.artifacts += 1
        faults = _pair_scores if artifact.parent.name == PAIR_SCORES else _artifact
        found.findings += faults(artifact, found)
        _leftovers(found, temporary(artifact))
    _leftovers(found, temporary_in(root, *(root / stage for stage in STAGES)))


def _artifact(artifact: Path, found: Diagnosis) -> Iterator[Finding]:
    stage = artifact.parent.name
    finished, faults = _faults(artifact, found.deep, found.counted)
    if faults:
        # A run may have been making it, or a mapped copy of it, at that moment.
        finished, again = _faults(artifact, found.deep, Counted())
        faults = [fault for fault in faults if fault in again]
    # These two are made as a whole; the others go on from their parts, cut as their plan says.
    lost = len(faults) > 1 and any(fault.path.name == PLAN for fault in faults)
    whole = stage in OF_SEVERAL or lost or not (artifact / PLAN).exists()
    for fault in faults:
        copy = LOCAL in fault.path.relative_to(artifact).parts
        remove = (artifact,) if whole and not copy else fault.remove
        yield Finding(Kind.DAMAGE, fault.path, fault.what, remove)
    if not finished and not faults:
        what = "not finished; the command that began it goes on with it"
        if is_locked(artifact / LOCK):
            what = "not finished; a run is making it now"
        yield Finding(Kind.UNFINISHED, artifact, what)


def _faults(artifact: Path, deep: bool, counted: Counted) -> tuple[bool, list[Fault]]:
    """Whether an artifact is finished, and its faults; none of one that is being made now."""
    stage = artifact.parent.name
    finished = is_finished(artifact)
    if not finished and is_locked(artifact / LOCK):
        return finished, []
    faults: list[Fault] = []
    for folder in data_sets(artifact):
        by_position = stage == "embed" or folder.name in _BY_POSITION
        faults += check_data_set(folder, counted, by_position=by_position, deep=deep)
        faults += _identity(artifact, folder)
    if finished and stage == "ingest":
        counts = read_json(artifact / _COUNTS)
        if isinstance(counts, str):
            faults.append(Fault(artifact / _COUNTS, counts, (artifact,)))
    return finished, faults


def _identity(artifact: Path, folder: Path) -> Iterator[Fault]:
    manifest = read_json(folder / MANIFEST)
    if isinstance(manifest, dict):
        named = str(manifest.get("fingerprint")).partition("/")[0]
        if named != artifact.name:
            what = f"is of artifact {named}, not of {artifact.name}"
            yield Fault(folder / MANIFEST, what, (artifact,))


def _pair_scores(store: Path, found: Diagnosis) -> Iterator[Finding]:
    """Findings of a store of pair scores, whose parts other processes may merge meanwhile."""
    names = set()
    for entry in entries(store):
        file = Path(entry.path)
        if not (entry.name.startswith("part-") and entry.name.endswith(".parquet")):
            continue
        rows = part_rows(file, found.deep, PAIR_SCORES_SCHEMA)
        if not isinstance(rows, str) and found.deep and _keys(file) != entry.name:
            rows = "holds other pairs than its name says"
        if not file.exists():
            continue
        found.counted.parts += 1
        found.counted.bytes += file.stat().st_size
        names.add(entry.name)
        copy = store / LOCAL / entry.name
        if isinstance(rows, str):
            remove = tuple(path for path in (file, copy) if path.exists())
            yield Finding(Kind.DAMAGE, file, f"{rows}; its pairs are scored anew", remove)
        elif copy.exists() and copy.stat().st_size != rows * ROW_BYTES:
            what = "mapped copy of another length than its part; the next run makes it anew"
            yield Finding(Kind.LEFTOVER, copy, what, (copy,))
    for entry in entries(store / LOCAL):
        if entry.name.startswith("part-") and entry.name not in names:
            path = Path(entry.path)
            what = "mapped copy of a part that is gone"
            yield Finding(Kind.LEFTOVER, path, what, (path,))


def _keys(file: Path) -> str:
    """Name of a part of pair scores, from its keys; empty where it cannot be read."""
    try:
        table = pq.read_table(file, schema=PAIR_SCORES_SCHEMA, partitioning=None)
    except (OSError, pa.ArrowException):
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for column in table.columns[:2]:
        digest.update(np.ascontiguousarray(column.to_numpy(), dtype="<u8").tobytes())
    return f"part-{digest.hexdigest()}.parquet"

"""Checks of published runs: manifest, partitions, parts and counts; and of `current`."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from jobs.check_parts import Counted, Fault, part_rows, read_json
from jobs.published import MANIFEST, RUN_ID, Run, current_id
from jobs.workdir import entries, folders
from schemas.errors import StorageError
from transforms.blocks import plan_blocks
from transforms.publish import QUERIES_PER_PART


def check_run(run: Run, counted: Counted, deep: bool) -> Iterator[Fault]:
    """Faults of a folder under runs/; a run is one thing, so all of it has to go.

    Parts are held to the manifest's counts of negatives a tier, candidates a verdict, queries and
    positives; a run of older code has no data set of these.
    """
    whole = (run.path,)
    file = run.path / MANIFEST
    manifest = read_json(file)
    if isinstance(manifest, str):
        yield Fault(file, manifest, whole)
        return
    if manifest.get("run_id") != run.run_id:
        yield Fault(file, f"belongs to run {manifest.get('run_id')!r}", whole)
    try:
        summary = manifest["summary"]
        tiers = {str(n): int(tier["negatives"]) for n, tier in summary["tiers"].items()}
        verdicts = {"kept": 0, **{str(v): int(n) for v, n in summary["verdicts"].items()}}
        queries = int(summary["queries"])
        rows = {"sets": queries, **summary.get("rows", {})}
        data_sets = {name: int(rows[name]) for name in ("sets", "positives") if name in rows}
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Fault(file, "has no counts to check the parts by", whole)
        return
    names = {block.part for block in plan_blocks(queries, QUERIES_PER_PART)}
    for folder, expected in (
        *((run.path / "negatives" / f"tier={tier}", rows) for tier, rows in tiers.items()),
        *((run.path / "ledger" / f"verdict={name}", rows) for name, rows in verdicts.items()),
        *((run.path / name, rows) for name, rows in data_sets.items()),
    ):
        for fault, what in _check_folder(folder, expected, names, counted, deep):
            yield Fault(fault, what, whole)
    for partitions, known in (("negatives", tiers), ("ledger", verdicts)):
        for folder in folders(run.path / partitions):
            if folder.name.partition("=")[2] not in known:
                yield Fault(folder, "is a partition that the manifest does not name", whole)


def _check_folder(
    folder: Path, expected: int, names: set[str], counted: Counted, deep: bool
) -> Iterator[tuple[Path, str]]:
    if not folder.is_dir():
        yield folder, f"is missing, and the manifest counts {expected:,} rows in it"
        return
    total = 0
    unreadable = False
    for entry in entries(folder):
        if not entry.name.endswith(".parquet"):
            continue
        file = Path(entry.path)
        counted.parts += 1
        counted.bytes += file.stat().st_size
        if entry.name not in names:
            yield file, "is no part of this run"
        rows = part_rows(file, deep)
        if isinstance(rows, str):
            unreadable = True
            yield file, rows
        else:
            total += rows
    if total != expected and not unreadable:
        yield folder, f"has {total:,} rows, the manifest says {expected:,}"


def named_and_gone(run: Run) -> Iterator[str]:
    """What a run can no longer show, because artifacts that it names are not on disk."""
    named: dict[str, Any] = run.manifest.get("artifacts") or {}
    gone = sorted(set(named) - set(run.artifacts()))
    if gone:
        yield (
            f"its work directory {run.workdir} no longer holds {', '.join(gone)}; the run itself "
            "is whole. Mine again to make them anew"
        )


def check_current(output: Path, sound: Collection[str]) -> str:
    """What is wrong with `current`, which has to name one of the sound runs; empty: nothing."""
    try:
        named = current_id(output)
    except StorageError:
        return "is not text, or cannot be read"
    if named in sound:
        return ""
    if named is not None:
        known = RUN_ID.fullmatch(named) and (output / "runs" / named).is_dir()
        return f"names {named!r}, which is {'damaged' if known else 'no run here'}"
    if (output / "current").exists():
        return "names no run"
    return "is not there; no run is in force" if sound else ""

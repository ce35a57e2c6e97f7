"""Checks of published runs: manifest, partitions, parts, counts and digests; and of `current`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from negmine.jobs.runs.published import MANIFEST, REPORT, RUN_ID, Run
from negmine.jobs.workdir.check_parts import Counted, Fault, part_rows, read_json
from negmine.jobs.workdir.layout import entries, folders
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.choosing.publish import QUERIES_PER_PART
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.storage.digests import digest_of


def check_run(run: Run, counted: Counted, deep: bool) -> Iterator[Fault]:
    """Faults of a folder under runs/; a run is one thing, so all of it has to go.

    Parts are held to the manifest's counts of negatives a tier, candidates a verdict, queries and
    positives (a run of older code has no data set of these), and every file to the bytes and, with
    `deep`, the SHA-256 that the manifest has for it.
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
        data_sets = {
            name: int(rows[name]) for name in ("sets", "positives", "lists") if name in rows
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Fault(file, "has no counts to check the parts by", whole)
        return
    names = {block.part for block in plan_blocks(queries, QUERIES_PER_PART)}
    faulty = set()
    for folder, expected in (
        *((run.path / "negatives" / f"tier={tier}", rows) for tier, rows in tiers.items()),
        *((run.path / "ledger" / f"verdict={name}", rows) for name, rows in verdicts.items()),
        *((run.path / name, rows) for name, rows in data_sets.items()),
    ):
        for fault, what in _check_folder(folder, expected, names, counted, deep):
            faulty.add(fault)
            yield Fault(fault, what, whole)
    for partitions, known in (("negatives", tiers), ("ledger", verdicts)):
        for folder in folders(run.path / partitions):
            if folder.name.partition("=")[2] not in known:
                faulty.add(folder)
                yield Fault(folder, "is a partition that the manifest does not name", whole)
    for path, what, needed in _differing(run, manifest, deep):
        if faulty.isdisjoint((path, *path.parents)):
            yield Fault(path, what, whole if needed else (), damage=needed)


def _differing(run: Run, manifest: JsonObject, deep: bool) -> Iterator[tuple[Path, str, bool]]:
    """Files that are not as they were published: path, what is wrong, whether the run needs it."""
    parts = manifest.get("parts")
    if parts is None:
        if deep:
            what = "was published before manifests held digests; its content is not compared"
            yield run.path, what, False
        return
    try:
        listed = {str(name): (int(e["bytes"]), str(e["sha256"])) for name, e in parts.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        yield run.path / MANIFEST, "does not list parts", True
        return
    there = {path.relative_to(run.path).as_posix(): path for path in storage.files(run.path)}
    for name, (size, digest) in sorted(listed.items()):
        path, needed = there.get(name), name != REPORT
        again = "" if needed else "; negmine report writes it anew"
        if path is None or path.is_symlink() or not path.is_file():
            yield run.path / name, f"is missing, and the manifest lists it{again}", needed
        elif path.stat().st_size != size:
            what = f"has {path.stat().st_size:,} bytes, the manifest says {size:,}{again}"
            yield path, what, needed
        elif deep and _digest(path) != digest:
            yield path, f"has other content than was published{again}", needed
    for name in sorted(there.keys() - listed.keys() - {MANIFEST}):
        if not any(part.startswith(".") for part in Path(name).parts):
            yield there[name], "is not in the manifest", name.endswith(".parquet")


def _digest(file: Path) -> str:
    try:
        return digest_of(file).sha256
    except DataError:
        return "cannot be read"


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
    named: JsonObject = run.manifest.get("artifacts") or {}
    gone = sorted(set(named) - set(run.artifacts()))
    if gone:
        yield (
            f"its work directory {run.workdir} no longer holds {', '.join(gone)}; the run itself "
            "is whole. Mine again to make them anew"
        )


@dataclass(frozen=True)
class InForce:
    """What `current` said when it was read: the run that it names, and what is wrong otherwise."""

    named: str | None
    wrong: str = ""


def read_current(output: Path) -> InForce:
    """To be read before the runs are listed, so that a run put in force meanwhile is no fault."""
    try:
        named = storage.fetch(output / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return InForce(None)
    except (OSError, ValueError):
        return InForce(None, "is not text")
    return InForce(named) if named else InForce(None, "names no run")


def check_current(output: Path, current: InForce, sound: Collection[str]) -> str:
    """What is wrong with `current`, which has to name one of the sound runs; empty: nothing."""
    named = current.named
    if current.wrong or named in sound:
        return current.wrong
    if named is not None:
        known = RUN_ID.fullmatch(named) and (output / "runs" / named).is_dir()
        return f"names {named!r}, which is {'damaged' if known else 'no run here'}"
    return "is not there; no run is in force" if sound else ""

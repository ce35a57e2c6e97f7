"""Checks of the files of one data set: parts, manifest, plan and mapped copies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.workdir.layout import entries
from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block, parse_part, plan_blocks
from negmine.transforms.data.columns import LOCAL, copy_fault
from negmine.transforms.data.datasets import MANIFEST

PLAN = "_plan.json"


@dataclass(frozen=True)
class Fault:
    """A file or folder, what is wrong with it, and what has to go so that a run makes it anew.

    Without `damage` it is only worth knowing.
    """

    path: Path
    what: str
    remove: tuple[Path, ...] = ()
    damage: bool = True


@dataclass
class Counted:
    """Parts looked at, and their bytes."""

    parts: int = 0
    bytes: int = 0


def read_json(file: Path) -> JsonObject | str:
    """A JSON object, or why there is none."""
    try:
        return storage.read_json(file)
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError) as error:
        if str(error) == "not a JSON object":
            return "does not hold a JSON object"
        return f"cannot be read ({str(error).splitlines()[0]})"


def part_rows(file: Path, deep: bool, schema: pa.Schema | None = None) -> int | str:
    """Rows of a Parquet file, or why it cannot be read.

    Args:
        file: the part.
        deep: read every page and verify its checksum.
        schema: columns and types it must have.
    """
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            if schema is not None and not parquet.schema_arrow.equals(schema):
                return f"has the columns {', '.join(parquet.schema_arrow.names)}"
            rows = int(parquet.metadata.num_rows)
            if deep:
                groups = range(parquet.num_row_groups)
                read = sum(parquet.read_row_group(group).num_rows for group in groups)
                if read != rows:
                    return f"holds {read:,} rows, its footer says {rows:,}"
            return rows
    except (OSError, pa.ArrowException) as error:
        return f"cannot be read ({str(error).strip().splitlines()[0]})"


def _block(name: str) -> Block | None:
    try:
        block = parse_part(name)
    except StorageError:
        return None
    return block if block.part == name else None


def check_data_set(
    folder: Path, counted: Counted, *, by_position: bool, deep: bool
) -> Iterator[Fault]:
    """Faults of a data set, finished or not.

    Args:
        folder: with parts, `_manifest.json` where finished, `_plan.json` where the stage has one.
        counted: added to.
        by_position: whether a part has one row for each position of its block.
        deep: read every page.
    """
    file = folder / MANIFEST
    listed: dict[str, tuple[int, int]] | None = None
    rows = 0
    if file.exists():
        manifest = read_json(file)
        try:
            if isinstance(manifest, str):
                raise ValueError(manifest)
            listed, rows = _listed(manifest), int(manifest["rows"])
        except (KeyError, TypeError, ValueError) as error:
            what = str(error) if isinstance(manifest, str) else "does not list parts"
            yield Fault(file, what, (file,))
        else:
            total = sum(entry[0] for entry in listed.values())
            if rows != total:
                yield Fault(file, f"says {rows:,} rows, its parts have {total:,}", (file,))
    names = [e.name for e in entries(folder) if _is_part(e.name)]
    for name in sorted({*names, *(listed or ())}):
        part = folder / name
        if _block(name) is None:
            yield Fault(part, "is not the name of a part", (part,))
        elif listed is not None and name not in listed:
            yield Fault(part, "is not in the manifest", (part,))
        else:
            entry = listed[name] if listed is not None else None
            yield from _check_part(part, entry, counted, by_position, deep)
    yield from _check_plan(folder, sorted(names if listed is None else listed), listed is not None)
    if listed is not None:
        yield from check_copies(folder / LOCAL, rows)


def _listed(manifest: JsonObject) -> dict[str, tuple[int, int]]:
    """Rows and bytes of the parts that a manifest lists; ValueError for one that is none."""
    listed = {str(e["name"]): (int(e["rows"]), int(e["bytes"])) for e in manifest["parts"]}
    if not all(_block(name) for name in listed):
        raise ValueError("not the name of a part")
    return listed


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def remade(file: Path) -> tuple[Path, ...]:
    """What has to go so that a run makes a part anew: the part, the manifest, mapped copies."""
    found = (file, file.with_name(MANIFEST), file.with_name(LOCAL))
    return tuple(path for path in found if path.exists() or path.is_symlink())


def _check_part(
    file: Path, entry: tuple[int, int] | None, counted: Counted, by_position: bool, deep: bool
) -> Iterator[Fault]:
    """Faults of a part; `entry` holds the manifest's rows and bytes, None: there is none."""
    if not file.is_file():
        yield Fault(file, "is missing, and the manifest lists it", remade(file))
        return
    size = file.stat().st_size
    counted.parts += 1
    counted.bytes += size
    rows = part_rows(file, deep)
    start, stop = parse_part(file.name)
    if isinstance(rows, str):
        yield Fault(file, rows, remade(file))
    elif by_position and rows != stop - start:
        yield Fault(file, f"has {rows:,} rows, its name says {stop - start:,}", remade(file))
    elif entry and rows != entry[0]:
        yield Fault(file, f"has {rows:,} rows, the manifest says {entry[0]:,}", remade(file))
    elif entry and size != entry[1]:
        yield Fault(file, f"has {size:,} bytes, the manifest says {entry[1]:,}", remade(file))


def _check_plan(folder: Path, names: Sequence[str], finished: bool) -> Iterator[Fault]:
    """Faults of the plan, and of the cut into blocks of these parts."""
    plan = read_json(folder / PLAN) if (folder / PLAN).exists() else {}
    blocks = [block for block in map(_block, names) if block]
    first = blocks[0].stop - blocks[0].start if blocks else 0
    size = plan.get("block_size", first) if isinstance(plan, dict) else None
    if not isinstance(size, int) or (size < 1 and any(block.stop for block in blocks)):
        what = plan if isinstance(plan, str) else f"says block_size {size!r}"
        # Without its plan an unfinished artifact cannot go on from its parts.
        yield Fault(folder / PLAN, what, (folder / PLAN,) if finished else (folder,))
    elif not finished:
        for block in blocks:
            if not _fits(block, size):
                part = folder / block.part
                yield Fault(part, f"is not planned: blocks have {size:,} rows", (part,))
    elif not blocks:
        yield Fault(folder, "is finished and holds no part", (folder / MANIFEST,))
    elif not plan:
        yield from _gaps(folder, blocks)
    elif blocks == plan_blocks(blocks[-1].stop, first) != plan_blocks(blocks[-1].stop, size):
        what = f"says blocks of {size:,} rows, the parts are of {first:,}"
        yield Fault(folder / PLAN, what, (folder / PLAN,))
    else:
        planned = plan_blocks(blocks[-1].stop, size)
        for block in sorted(set(planned) ^ set(blocks)):
            what = "is planned and missing" if block in planned else "is not planned"
            yield Fault(folder / block.part, what, remade(folder / block.part))


def _gaps(folder: Path, blocks: Sequence[Block]) -> Iterator[Fault]:
    """Parts that do not follow one another; without a plan they may be of any size."""
    stop = 0
    for block in sorted(blocks):
        if block.start != stop:
            what = f"does not go on from row {stop:,}, where the part before it ends"
            yield Fault(folder / block.part, what, (folder / MANIFEST,))
        stop = block.stop


def _fits(block: Block, size: int) -> bool:
    if block == Block(0, 0):
        return True
    return size > 0 and block.start % size == 0 and 0 < block.stop - block.start <= size


def check_copies(local: Path, rows: int) -> Iterator[Fault]:
    """Faults of the mapped copies of a data set's columns: of another length than its rows."""
    for entry in entries(local):
        path = Path(entry.path)
        if entry.name.endswith((".lock", ".building", ".tmp")):
            continue
        try:
            wrong = copy_fault(path, rows) if path.is_dir() else _numbers_fault(path, rows)
        except (OSError, ValueError, TypeError, IndexError) as error:
            wrong = f"cannot be read ({str(error).splitlines()[0] if str(error) else 'empty'})"
        if wrong:
            yield Fault(path, f"mapped copy {wrong}", (path,))


def _numbers_fault(file: Path, rows: int) -> str | None:
    size = file.stat().st_size
    return None if size == 4 * rows else f"has {size:,} bytes, {4 * rows:,} fit its {rows:,} rows"

"""`audit --fix`: cleaned copies of the audited files, and a record of what was taken out."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from negmine.jobs.audit.findings import CERTAIN, SUSPECTED, TOO_FEW, Entries, Row
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.transforms import storage
from negmine.transforms.foreign.files import container
from negmine.transforms.foreign.formats import LINES
from negmine.transforms.foreign.rewrite import rewrite
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.locks import writing
from negmine.transforms.storage.targets import ending, refuse_special, target

_TAKEN = ("row", "list", "place", "query_id", "query", "doc_id", "negative")


def targets(
    files: Sequence[Path],
    out: Path,
    force: bool = False,
    outputs: Sequence[Path] = (),
    format: str = "",
) -> list[Path]:
    """Where the copies go: `out` itself for one file, else files of the same names in it.

    `outputs` hold runs, see `transforms.storage.targets`. Raises ConfigError where a copy is there
    already, is an audited file itself, cannot be a file, or is named as another kind of file.
    """
    into = len(files) > 1 or storage.is_dir(out)
    found = [out / file.name for file in files] if into else [out]
    if len(set(found)) < len(found):
        raise ConfigError(f"--fix {out}: two audited files have the same name; fix them one by one")
    for file, copy in zip(files, found, strict=True):
        target(copy, "--fix", (ending(copy),), outputs=outputs)
        refuse_special(_record(copy), "--fix")
        if copy.suffix in (".gz", ".zst", "") and copy.suffix != file.suffix:
            raise ConfigError(f"--fix {copy}: name it {file.suffix}, as {file.name} is")
        if format not in LINES and container(copy) != container(file):
            raise ConfigError(f"--fix {copy}: {file} is {container(file)}, and so is its copy")
        _refuse_existing(copy, file, force)
    return found


def _refuse_existing(copy: Path, file: Path, force: bool) -> None:
    if storage.exists(copy) and (not force or os.path.samefile(copy, file)):
        raise ConfigError(f"--fix {copy} is there already; name another file")


def _record(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.removed.jsonl")


def fix(
    entries: Entries,
    files: Sequence[Path],
    copies: Sequence[Path],
    format: str,
    suspected: bool,
    keep_short: bool,
    digests: Mapping[str, Digest],
    force: bool = False,
    label_above: float | None = None,
) -> list[JsonObject]:
    """Write the copies, each with `<copy>.removed.jsonl`; returns what was done for each file.

    `force` as in `targets`, `label_above` as in `foreign.rows`. Raises ConfigError for a copy that
    another process wrote meanwhile, DataError for a file that has no longer its digest.
    """
    reasons = (*CERTAIN, SUSPECTED, TOO_FEW) if suspected else (*CERTAIN, TOO_FEW)
    by_file: dict[int, list[Row]] = defaultdict(list)
    for row in entries.bad(reasons):
        by_file[row[0]].append(row)
    done = []
    for at, (file, copy) in enumerate(zip(files, copies, strict=True)):
        bad: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for _, row, name, place, *_ in by_file[at]:
            bad[row].add((name, place))
        with writing(copy):
            _refuse_existing(copy, file, force)
            digest = digests.get(str(file))
            dropped = rewrite(file, copy, format, bad, keep_short, digest, label_above)
            taken = [
                {
                    **dict(zip(_TAKEN, entry[1:8], strict=True)),
                    "reason": entry[8],
                    "value": entry[9],
                    "threshold": entry[10],
                }
                for entry in by_file[at]
            ]
            taken += [
                {
                    **dict(zip(_TAKEN, entry[1:8], strict=True)),
                    "reason": "row_dropped",
                    "value": None,
                    "threshold": None,
                }
                for entry in entries.of_rows(at, dropped, reasons)
            ]
            taken.sort(key=lambda entry: (entry["row"], entry["list"], entry["place"]))
            record = _record(copy)
            with replacing(record) as temporary, open(temporary, "w", encoding="utf-8") as lines:
                lines.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in taken)
        done.append(
            {
                "file": str(file),
                "copy": str(copy),
                "record": str(record),
                "removed": len(taken),
                "rows_dropped": len(dropped),
            }
        )
    return done

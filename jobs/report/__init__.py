"""The report of a run: `report.html`, one file that needs nothing else."""

import os
from pathlib import Path

from negmine.jobs.report.page import page
from negmine.jobs.report.read import RunData
from negmine.jobs.runs.published import REPORT, Run
from negmine.schemas.errors import StorageError
from negmine.transforms import storage

NAME = REPORT


def render(run_folder: Path) -> str:
    """The report of the run in a folder as HTML, from its Parquet and its manifest.

    Numbers that the run lacks are left out of the page. Raises StorageError where the manifest
    or a data set cannot be read.
    """
    with RunData(run_folder.resolve(), Run(run_folder).manifest) as run:
        return page(run)


def write_report(run_folder: Path, out: Path | None = None) -> Path:
    """Write the report of a run, to its `report.html` or elsewhere; returns the file.

    A file that is there is replaced in one step. Raises StorageError where the run cannot be read
    or the file cannot be written.
    """
    target = storage.local_path(out or run_folder / NAME)
    text = render(run_folder)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if storage.is_mirrored(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        storage.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write the report {target}: {error.strerror}; name another file with --out"
        ) from error
    return target

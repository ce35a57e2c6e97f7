"""The report of a run: `report.html`, one file that needs nothing else."""

from pathlib import Path

from negmine.jobs.report.page import page
from negmine.jobs.report.read import RunData
from negmine.jobs.runs.published import REPORT, Run
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_text

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
    write_text(target, text, "the report ", "Name another file with --output")
    return target

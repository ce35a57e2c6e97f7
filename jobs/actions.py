"""What commands and the API both do; what it takes is imported when it is done.

So a command's help, and `import negmine`, load neither Beam nor DuckDB nor torch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from negmine.jobs.audit.request import Request as AuditRequest
from negmine.jobs.refresh.request import Request as RefreshRequest
from negmine.jobs.runs.published import Run

if TYPE_CHECKING:
    from negmine.jobs.audit.run import Audit
    from negmine.schemas.config import Config
    from negmine.transforms.exporters import Report


def mine(
    config: "Config", options: Sequence[str], max_leak: float | None, min_gain: float | None
) -> Run:
    """As `jobs.mining.publish.mine`, within these limits."""
    from negmine.jobs.mining import publish

    return publish.mine(config, options, publish.Limits(max_leak, min_gain))


def refresh(parent: Run, request: RefreshRequest, options: Sequence[str] = ()) -> Run:
    """As `jobs.refresh.run.refresh`."""
    from negmine.jobs.refresh import run

    return run.refresh(parent, request, options)


def audit(request: AuditRequest) -> "Audit":
    """As `jobs.audit.run.audit`."""
    from negmine.jobs.audit import run

    return run.audit(request)


def export(run: Run, format: str | None, output: str | None, **options: object) -> "Report":
    """As `jobs.exporting.by_name.export_run`."""
    from negmine.jobs.exporting.by_name import export_run

    return export_run(run, format, output, **options)


def verdict(run: Run, short: bool = True) -> RenderableType:
    """As `jobs.report.verdict.render_run`."""
    from negmine.jobs.report.verdict import render_run

    return render_run(run, short)


def write_report(run: Run, file: Path | None = None) -> Path:
    """As `jobs.report.write_report`."""
    from negmine.jobs import report

    return report.write_report(run.path, file)

"""What `export` prints of what it wrote."""

from typing import TYPE_CHECKING

import typer

from negmine.jobs.terminal import printable

if TYPE_CHECKING:
    from negmine.transforms.exporters import Report


def tell(report: "Report") -> None:
    """The file, its rows and counts on standard output; notes on standard error.

    All of it on standard error where the rows themselves went to standard output.
    """
    piped = report.path is None
    if report.path is not None:
        typer.echo(printable(report.path))
    of = f"tiers {printable(', '.join(report.tiers))}" if report.tiers else _of_no_tiers(report)
    typer.echo(f"{report.rows:,} rows, {of}", err=piped)
    for part in report.parts:
        typer.echo(_part(part), err=piped)
    typer.echo(report.queries.told("queries"), err=piped)
    typer.echo(report.positives.told("positives"), err=piped)
    if report.details.get("repeated"):
        typer.echo(f"{report.details['repeated']:,} queries filled by repeating", err=True)
    if report.scores:
        scale = f", {report.scale}" if report.scale else ""
        typer.echo(f"scores: {report.scores}{scale}", err=piped)
    for note in report.notes:
        typer.echo(f"note: {printable(note)}", err=True)


def _of_no_tiers(report: "Report") -> str:
    if "not_scored" in report.details:
        return "the whole ledger"
    return "the student's ranking" if "left_out" in report.details else "teacher lists"


def _part(part: dict[str, object]) -> str:
    text = f"{part['name']}: {part['rows']:,} rows of {part['queries']:,} queries"
    negatives = part.get("negatives")
    if isinstance(negatives, dict):
        text += ", " + ", ".join(f"{count} {tier}" for tier, count in negatives.items())
    if "groups" in part:
        text += (
            f" of {part['of']:,} ({part['groups']:,} groups, the largest of {part['largest']:,})"
        )
    return text

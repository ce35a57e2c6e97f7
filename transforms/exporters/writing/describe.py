"""The text of a data set's card, from the run's facts and the export's counts."""

from negmine.transforms.exporters.reading.options import Source
from negmine.transforms.exporters.report import Report


def description(report: Report, source: Source) -> str:
    """Markdown, made of nothing but the run's manifest and the export's counts."""
    lines = [
        f"# Training negatives of run {report.run_id}",
        "",
        "Mined with negmine. Every negative was returned by a source and kept by the policies; "
        "every known positive of a query is here unless the counts say why not.",
        "",
        *(f"- {name}: {value}" for name, value in source.about.items()),
        f"- tiers: {', '.join(report.tiers) or 'none'}",
        f"- {report.queries.told('queries')}",
        f"- {report.positives.told('positives')}",
    ]
    if report.scores:
        lines.append(f"- scores: {report.scores}{f', {report.scale}' if report.scale else ''}")
    for part in report.parts:
        lines.append(f"- {part['name']}: {part['rows']:,} triplets, {part['queries']:,} queries")
    lines += [f"- note: {note}" for note in report.notes]
    lines += [
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        'train = load_dataset("path/to/this/folder", "triplet", split="train")',
        'sets = load_dataset("path/to/this/folder", "sets", split="train")',
        "```",
        "",
        "`triplet` has anchor, positive, negative; `sets` has a row a query: its positives, best "
        "first, its negatives, hardest first, their identifiers, tiers and grades.",
    ]
    return "\n".join(lines)

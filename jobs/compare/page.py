"""A comparison as one self-contained page, in the report's style, without a script."""

from pathlib import Path

from negmine.jobs import report
from negmine.jobs.compare.result import Comparison
from negmine.jobs.compare.rows import Shown, shown
from negmine.jobs.html.markup import Markup, cut, element, table
from negmine.jobs.report import numbers
from negmine.jobs.report.document import document
from negmine.transforms.storage.atomic import write_text

_STYLE = Path(report.__file__).parent / "page.css"
_OWN_STYLE = """
header, .wide { margin-bottom: 1.25rem; }
#made :is(th, td), :is(#counts, #metrics) :is(th, td):nth-child(2) { text-align: left; }
"""
_CELL = 400
_FOLDED = ("inputs", "metrics")
_SECTIONS = {
    "Settings": ("config", "policies", "inputs"),
    "Counts": ("counts",),
    "Overlap": ("overlap", "tier_changes", "left", "entered"),
    "Metrics": ("paired", "metrics"),
}


def page(comparison: Comparison) -> str:
    """The page as HTML; the same bytes for the same runs."""
    tables = {made.name: made for made in shown(comparison, every=True)}
    sections = [
        element(
            "section",
            element("h2", title),
            [_shown(tables[name]) for name in names if name in tables],
            id="made" if title == "Settings" else title.lower(),
        )
        for title, names in _SECTIONS.items()
        if any(name in tables for name in names)
    ]
    main = element("main", _first(comparison), sections)
    a, b = (cut(side.run_id, 120)[0] for side in (comparison.a, comparison.b))
    header = element(
        "header",
        element("h1", "Run ", b, " beside run ", a),
        element("p", f"A is run {comparison.a.run_id}, {comparison.a.created or 'no date'}."),
        element("p", f"B is run {comparison.b.run_id}, {comparison.b.created or 'no date'}."),
    )
    title = f"negmine compare: {comparison.a.run_id} and {comparison.b.run_id}"
    style = _STYLE.read_text(encoding="utf-8") + _OWN_STYLE
    return document(cut(title, _CELL)[0], element("body", header, main), style)


def write_page(comparison: Comparison, target: Path) -> Path:
    """Write the page; a file that is there is replaced in one step. Raises StorageError."""
    write_text(target, page(comparison), "the page ", "Name another file with --html")
    return target


def _first(comparison: Comparison) -> Markup:
    cards = [
        element(
            "section",
            element("h2", "What changed"),
            element("p", cut(comparison.verdict, _CELL)[0]),
            class_="card",
        )
    ]
    if comparison.overlap:
        every = comparison.overlap[0]
        cards.append(
            element(
                "section",
                element("h2", "Overlap"),
                element(
                    "p",
                    element("b", numbers.percent(every.jaccard or 0.0)),
                    " of the negatives of either run are in both",
                    class_="big",
                ),
                element(
                    "p",
                    f"{numbers.count(every.only_a)} are only in A, "
                    f"{numbers.count(every.only_b)} only in B; "
                    f"{numbers.count(every.identical)} of {numbers.count(every.queries)} queries "
                    "have the same set.",
                ),
                class_="card",
            )
        )
    if comparison.warnings:
        lines = [element("li", cut(line, _CELL)[0], class_="look") for line in comparison.warnings]
        heading = element("h2", "To mind")
        cards.append(element("section", heading, element("ul", lines), class_="card"))
    return element("div", cards, class_="cards", id="headline")


def _shown(made: Shown) -> Markup:
    rows = [[cut(cell, _CELL)[0] for cell in row] for row in made.rows]
    drawn = table(made.title, made.headings, rows)
    if made.name not in _FOLDED:
        return drawn
    summary = element("summary", f"{made.title}: {numbers.count(len(rows))} rows")
    return element("details", summary, drawn)

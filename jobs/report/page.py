"""The page: parts in reading order, its policy of what may run, its style and its script."""

from collections.abc import Sequence
from pathlib import Path

from negmine.jobs.html.markup import Markup, cut, element, escaped, table
from negmine.jobs.report import headline, numbers
from negmine.jobs.report.browse import browse
from negmine.jobs.report.checked import checked
from negmine.jobs.report.checks.check import check
from negmine.jobs.report.checks.facts import Facts
from negmine.jobs.report.checks.limits import Finding
from negmine.jobs.report.document import document
from negmine.jobs.report.plots import plots
from negmine.jobs.report.read import RunData
from negmine.jobs.report.sections.edited import edited
from negmine.jobs.report.sections.sample import draw
from negmine.jobs.report.sections.weights import weights
from negmine.jobs.runs.drift import drift_sentence
from negmine.schemas import JsonObject
from negmine.schemas.metrics import MEANINGS

_HERE = Path(__file__).parent
_ROWS = 3_000
_MEANING = ["metric", "meaning", "count"]


def page(run: RunData) -> str:
    """The whole report as HTML; the same bytes for the same run."""
    order = run.manifest.get("tier_order") or list(run.groups("negatives", "tier"))
    facts = Facts(run.metrics, run.manifest, order)
    findings, passed, unmeasured = check(facts)
    cards = [headline.mined(facts), headline.safe(facts), headline.hard(facts)]
    main = element(
        "main",
        element("div", cards, headline.wrong(findings), class_="cards", id="headline"),
        _section("findings", "What to do", *_findings(findings, passed, unmeasured)),
        _section("tiers", "Tiers", headline.by_tier(facts)),
        _section("checked", "Sources and judge, checked", *checked(facts)),
        _section("weights", "Weights", *weights(facts)),
        _section("edited", "Edited positives", *edited(facts)),
        _section("plots", "Plots", element("div", plots(run, order), class_="plots")),
        _section("sample", "Read some", _sample_note(), *browse(draw(run))),
        _section("numbers", "All numbers", _all_numbers(run)),
        _section("made", "How it was made", _made(facts)),
    )
    name = str(run.manifest.get("run_id") or run.run.name)
    style, script = (
        (_HERE / file).read_text(encoding="utf-8") for file in ("page.css", "filter.js")
    )
    body = element("body", _header(facts, name, findings), main)
    return document(f"{headline.title(facts, name)} - negmine", body, style, script)


def _section(identifier: str, title: str, *parts: object) -> Markup | None:
    shown = [part for part in parts if part]
    if not shown:
        return None
    return element("section", element("h2", title), shown, id=identifier)


def _header(facts: Facts, name: str, findings: Sequence[Finding]) -> Markup:
    config = facts.config
    of_student = config.get("student") or {}
    student = ", ".join(of_student.get("models") or []) or of_student.get("model")
    student = "given as vectors" if of_student.get("vectors") else student
    judge = config.get("judge") or {}
    words = [
        f"run {name}",
        f"mined {str(facts.manifest['created'])[:10]}" if facts.manifest.get("created") else None,
        f"student {student}" if student else None,
        f"judge {judge['model']}" if judge.get("model") else None,
    ]
    title = headline.title(facts, name)
    count, thing = headline.told(findings)
    links = {
        "findings": f"{count} {thing}" if findings else "Nothing found wrong",
        "tiers": "Tiers",
        "plots": "Plots",
        "sample": "Read some",
        "numbers": "All numbers",
    }
    return element(
        "header",
        element("h1", "Negatives: ", cut(title, 200)[0]),
        element("p", cut(", ".join(word for word in words if word), 400)[0]),
        element("p", cut(drift_sentence(facts.manifest), 400)[0])
        if facts.manifest.get("parent")
        else None,
        element(
            "nav",
            [element("a", title, href=f"#{place}") for place, title in links.items()],
            aria_label="Page",
            class_="bad" if any(f.serious for f in findings) else "look" if findings else "well",
        ),
    )


def _findings(
    findings: Sequence[Finding], passed: Sequence[str], unmeasured: Sequence[str]
) -> list[Markup]:
    shown = [
        element(
            "article",
            element("h3", element("span", "Serious" if f.serious else "Look"), " ", f.title),
            element("p", f.fact),
            element("p", element("b", "Do: "), f.advice),
            class_="finding bad" if f.serious else "finding look",
            id=f"finding-{n}",
        )
        for n, f in enumerate(findings)
    ]
    if not shown:
        shown.append(element("p", "Nothing: no value that was checked passed its limit."))
    for title, names in (("In order", passed), ("Not measured in this run", unmeasured)):
        if names:
            text = f"{title}: {', '.join(names)}."
            shown.append(element("p", text, class_="soft"))
    return shown


def _sample_note() -> Markup:
    return element(
        "p",
        "Pairs drawn by a keyed hash, the same each time, from every tier and every drop reason. "
        "The ledger holds no texts, so a dropped candidate's text is shown where the run has it "
        "as some query's negative or positive; negmine why RUN QUERY DOC tells a pair's story.",
    )


def _all_numbers(run: RunData) -> Markup | None:
    rows = run.metrics.rows
    if not rows:
        return None
    names = ["metric", "tier", "source", "key", "bin", "value", "low", "high", "count"]
    cells = [[_cell(row.get(name)) for name in names] for row in rows[:_ROWS]]
    note = "" if len(rows) <= _ROWS else f" (the first {_ROWS:,} of {len(rows):,})"
    caption = f"Rows of metrics.parquet{note}; low and high are 95 % intervals"
    named = dict.fromkeys(row["metric"] for row in rows)
    meanings = [
        [name, MEANINGS[name].text, MEANINGS[name].counted] for name in named if name in MEANINGS
    ]
    return element(
        "details",
        element("summary", f"{numbers.count(min(len(rows), _ROWS))} numbers and what they mean"),
        table("What each metric says, and what its count counts", _MEANING, meanings),
        table(caption, names, cells),
    )


def _cell(value: object) -> Markup:
    if value is None:
        return escaped("")
    if isinstance(value, float):
        return escaped(f"{value:.6g}")
    return cut(str(value), 120)[0]


def _made(facts: Facts) -> Markup:
    manifest = facts.manifest
    rows = [
        [name, element("code", cut(str(value), 300)[0])]
        for name, value in (
            ("run", manifest.get("run_id")),
            ("created", manifest.get("created")),
            ("seed", manifest.get("seed")),
            *((f"weights of the {k}", v) for k, v in (manifest.get("models") or {}).items()),
            *((f"precision: {k}", v) for k, v in (manifest.get("precision") or {}).items()),
            *(
                (f"policy {n}", _policy(entry))
                for n, entry in enumerate(manifest.get("policies") or [], 1)
            ),
            *((f"tier {k}", _policy({k: v})) for k, v in (facts.config.get("tiers") or {}).items()),
            *((f"version of {k}", v) for k, v in (manifest.get("versions") or {}).items()),
        )
        if value is not None
    ]
    return element(
        "details",
        element("summary", "Settings and versions"),
        table("Settings", ["what", "value"], rows),
    )


def _policy(entry: JsonObject) -> str:
    return "; ".join(
        f"{name} "
        + ", ".join(
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in (values or {}).items()
            if value is not None
        )
        for name, values in entry.items()
    ).strip()

"""The report's first screen for a terminal: how good a run is, what to look at, what to do next."""

import os
import shlex
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.html.markup import Markup
from negmine.jobs.report import NAME, headline
from negmine.jobs.report.checks.check import check
from negmine.jobs.report.checks.facts import Facts
from negmine.jobs.report.checks.limits import Finding
from negmine.jobs.report.metrics import read_metrics
from negmine.jobs.runs.published import Run, current_if_readable
from negmine.jobs.runs.query import Database
from negmine.jobs.runs.show import expected_gain, render_summary, run_head
from negmine.jobs.terminal import printable
from negmine.schemas.errors import NegmineError
from negmine.schemas.locations import shown

_WIDTH = 16


class _Paragraphs(HTMLParser):
    """The texts of headings and paragraphs, each with its tag."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in ("h2", "p"):
            self.found.append((tag, ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, text = self.found[-1]
            self.found[-1] = tag, text + data


def render_run(run: Run, short: bool = True) -> RenderableType:
    """A run for a terminal: the verdict, then its tables, all of them or the two that matter."""
    tables = render_summary(run.manifest, shown(str(run.path)), short)
    return Group(render_verdict(run), Padding(tables, (1, 0, 0, 0)))


def render_verdict(run: Run) -> RenderableType:
    """What a run is worth, in words: the report's headline, findings, and the next commands.

    What the run lacks is left out. Raises StorageError where its metrics cannot be read.
    """
    manifest = run.manifest
    facts = Facts(read_metrics(run.path, manifest), manifest, list(run.quotas))
    findings, passed, _ = check(facts)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=_WIDTH, style="bold")
    grid.add_column()
    for card in (headline.mined(facts), headline.safe(facts), headline.hard(facts)):
        if card is not None:
            grid.add_row(*_card(card))
    grid.add_row("Worth", expected_gain(manifest.get("summary") or {}))
    count, thing = headline.told(findings)
    well = f"{len(passed)} checks found nothing wrong"
    grid.add_row("What is wrong", Text(f"{count} {thing}; {well}" if findings else well))
    parts: list[RenderableType] = [run_head(manifest), grid]
    if findings:
        parts.append(Padding(_findings(findings), (1, 0, 0, 0)))
    parts.append(Padding(_next(run), (1, 0, 0, 0)))
    return Group(*parts)


def _card(card: Markup) -> tuple[str, Text]:
    (_, question), *told = _Paragraphs(card).found
    return question, Text("\n".join(text for _, text in told if text))


def _findings(findings: Sequence[Finding]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right")
    grid.add_column()
    for at, finding in enumerate(findings, 1):
        told = Text("serious: " if finding.serious else "", style="bold")
        told.append(printable(f"{finding.title}. {finding.fact}"), style="not bold")
        told.append(f"\nTo do: {printable(finding.advice)}", style="not bold")
        grid.add_row(Text(f"{at}."), told)
    return grid


def _next(run: Run) -> RenderableType:
    """The report, and three commands, each on one line that can be copied."""
    lines = [("Report", shown(str(run.path / NAME)))]
    lines += zip(("Why one", "Otherwise", "Export"), commands(run), strict=False)
    return Group(
        *(
            Text(f"{what:<{_WIDTH}} {printable(told)}", no_wrap=True, overflow="ignore")
            for what, told in lines
        )
    )


def commands(run: Run) -> Iterator[str]:
    """What to do next: look at one decision, try other settings, hand it to a trainer."""
    name = shlex.quote(_reference(run))
    pair = _hardest(run)
    if pair:
        yield f"negmine why {name} {' '.join(map(shlex.quote, pair))}"
    else:
        yield f"negmine query {name} drop_reasons"
    policies = [next(iter(entry)) for entry in run.manifest.get("policies") or []]
    if "judge_calibrated_threshold" in policies:
        setting = "judge_calibrated_threshold.positives_above=0.3,0.5,0.7,0.9"
    else:
        tier = next(iter(run.quotas), "hard")
        setting = f"tiers.{tier}.min_ratio=0.6,0.7,0.8,0.9"
    yield f"negmine sweep {name} --policy {setting}"
    yield f"negmine export {name} --for MultipleNegativesRankingLoss"


def _reference(run: Run) -> str:
    """How commands name the run: the output alone where it is in force there."""
    output = shown(str(run.output))
    if "://" not in output:
        output = min(output, os.path.relpath(output), key=len)
    in_force = current_if_readable(run.output) == run.run_id
    return output if in_force else f"{output}:{run.run_id}"


def _hardest(run: Run) -> tuple[str, str] | None:
    """Query and document of the first negative; None where there is none to read."""
    try:
        with Database(run) as database:
            answer = database.ask(
                "SELECT query_id, negative_id FROM negatives "
                "ORDER BY dense_score DESC, query_id, negative_id LIMIT 1"
            )
            found = next(answer.rows, None)
    except NegmineError:
        return None
    return (str(found[0]), str(found[1])) if found else None

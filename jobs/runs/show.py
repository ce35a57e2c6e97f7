"""A run's summary for people, from its manifest."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.runs.collection import collection_facts, counted
from negmine.jobs.runs.drift import drift_sentence
from negmine.jobs.terminal import format_bytes, format_seconds, printable
from negmine.pipelines.graph import STAGES
from negmine.schemas import JsonObject
from negmine.schemas.verdicts import Source

_STAGES = (*STAGES, "publish")


def _count(value: object) -> Text:
    return Text("-" if value is None else f"{value:,.12g}")


def _score(value: float | None) -> Text:
    return Text("-" if value is None else f"{float(value):.4f}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _table(title: str, *columns: str | Text) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left", overflow="fold")
    return table


def _order(manifest: JsonObject) -> list[str]:
    tiers = manifest.get("summary", {}).get("tiers", {})
    order = manifest.get("tier_order") or list(manifest.get("config", {}).get("tiers", {}))
    return [tier for tier in order if tier in tiers] + [t for t in tiers if t not in order]


def _tiers(manifest: JsonObject) -> RenderableType:
    tiers = manifest["summary"]["tiers"]
    found = {source for tier in tiers.values() for source in tier.get("sources", {})}
    sources = [str(name) for name in Source if name in found] + sorted(found - set(Source))
    table = _table(
        "Negatives by tier; sources may overlap",
        "tier",
        "negatives",
        *(Text(printable(source)) for source in sources),
        "backfilled",
        "queries short",
    )
    for name in _order(manifest):
        tier = tiers[name]
        table.add_row(
            Text(printable(name)),
            _count(tier.get("negatives")),
            *(_count(tier.get("sources", {}).get(source, 0)) for source in sources),
            _count(tier.get("backfilled")),
            _count(tier.get("queries_short")),
        )
    return table


def _verdicts(summary: JsonObject) -> RenderableType:
    verdicts = summary.get("verdicts", {})
    total = sum(verdicts.values())
    table = _table("Candidates by verdict", "verdict", "candidates", "share")
    for name, count in sorted(verdicts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(Text(printable(name)), _count(count), Text(_share(count, total)))
    return table


def expected_gain(summary: JsonObject) -> Text:
    """The estimate of what training with the set gains."""
    gain = summary.get("expected_gain")
    if not gain:
        return Text("Expected gain: - (needs judge scores)")
    return Text(
        f"Expected gain: {gain['value']:.3f} [{gain['low']:.3f}, {gain['high']:.3f}], to compare "
        "sets of one collection by: it ranks them as training does, roughly; ECI does not"
    )


def _unlabelled(summary: JsonObject) -> list[Text]:
    found = summary.get("unlabelled_positives")
    if not found:
        return []
    bounds = f"[{found['low']:.2f}, {found['high']:.2f}]"
    return [
        Text(f"Positives that nobody labelled: at most about {found['value']:.2f} {bounds} a query")
    ]


def _eci(manifest: JsonObject) -> RenderableType:
    eci = manifest["summary"].get("eci", {})
    table = _table(
        "ECI = ln(1 + N) x harmonic mean of S and Δ",
        "tier",
        "ECI",
        "S (signal)",
        "Δ (safety)",
        "N",
        "harmonic mean",
    )
    tiers = eci.get("tiers", {})
    rows = [("all", eci.get("overall", {}))]
    rows += [(name, tiers[name]) for name in _order(manifest) if name in tiers]
    for name, values in rows:
        table.add_row(
            Text(printable(name)),
            _score(values.get("eci")),
            _score(values.get("signal")),
            _score(values.get("safety")),
            _count(values.get("negatives")),
            _score(values.get("harmonic_mean")),
        )
    return table


def _student(manifest: JsonObject) -> Text:
    student = manifest.get("config", {}).get("student", {})
    name = student.get("model", "?")
    if student.get("models"):
        name = f"{', '.join(student['models'])}, one a fold"
    if student.get("vectors"):
        name = f"vectors of {student['vectors'].get('documents', '?')}"
    precision = manifest.get("precision") or {}
    line = f"Student: {printable(name)}, {printable(precision.get('student', '-'))}"
    if backend := precision.get("student_backend"):
        line += f" in {printable(backend)}"
    cosine = precision.get("lowest_cosine_with_fp32")
    if cosine is not None:
        line += f" (lowest cosine with fp32 on a sample: {cosine:.4f})"
    return Text(line)


def _judge(summary: JsonObject) -> Text:
    judge = summary.get("judge", {})
    scored, total = judge.get("pairs_scored", 0), judge.get("pairs_total", 0)
    if not total:
        return Text("Judge: no pairs")
    saved = total - scored
    return Text(
        f"Judge: {scored:,} of {total:,} pairs scored, {saved:,} saved ({_share(saved, total)})"
    )


def _judge_backends(manifest: JsonObject) -> list[Text]:
    """What ran the cross-encoders that torch did not, and how far their scores were off."""
    found = manifest.get("precision") or {}
    ending = "_largest_difference_from_fp32"
    return [
        Text(
            f"Judge {printable(name)}: {printable(found.get(name, '-'))} in "
            f"{printable(found.get(f'{name}_backend', '-'))} (largest difference of a score from "
            f"fp32 on a sample: {found[key]:.4f})"
        )
        for key, name in ((key, key.removesuffix(ending)) for key in found if key.endswith(ending))
        if found[key] is not None
    ]


def _judge_checks(manifest: JsonObject) -> list[Text]:
    """How well each judge told known positives from random documents, a line each."""
    return [
        Text(
            f"Judge {printable(check.get('judge', '?'))} on a sample, known positives against "
            f"random documents: AUC {check.get('auc', float('nan')):.3f} "
            f"[{check.get('low', float('nan')):.3f}, {check.get('high', float('nan')):.3f}]"
        )
        for check in manifest.get("judge_checks") or []
    ]


def _lists(summary: JsonObject) -> list[Text]:
    """What the teacher lists hold, their scale, and how well the judge ranks; none without."""
    lists = summary.get("lists")
    if not lists:
        return []
    scale, check = lists.get("scale") or {}, lists.get("judge_against_student")
    cut = f"; {lists['cut_off']:,} cut off at -1 or 1" if lists.get("cut_off") else ""
    told = [
        f"Teacher lists: {lists.get('rows', 0):,} documents of {lists.get('queries', 0):,} queries,"
        f" teacher_score = {scale.get('slope', 0):.4g} {printable(scale.get('of', 'judge_score'))} "
        f"{scale.get('intercept', 0):+.4g}{cut}"
    ]
    if check:
        told.append(
            f"nDCG@10 of the known positives in them: judge {check['judge']:.3f}, student "
            f"{check['student']:.3f}, difference {check['difference']:+.3f} "
            f"[{check['low']:+.3f}, {check['high']:+.3f}]"
        )
    return [Text(line) for line in told]


def _calibration(rows: list[JsonObject]) -> RenderableType:
    title = "Judge's threshold by the share of known positives at or above it"
    table = _table(title, "positives above", "threshold", "would drop", "share of scored")
    for row in rows:
        dropped, scored = row.get("candidates_dropped", 0), row.get("candidates_scored", 0)
        table.add_row(
            Text(printable(row.get("positives_above", "?"))),
            _score(row.get("threshold")),
            _count(dropped),
            Text(_share(dropped, scored)),
        )
    return table


def _thresholds(manifest: JsonObject) -> list[RenderableType]:
    """A line a policy with thresholds by language."""
    lines: list[RenderableType] = []
    for entry in manifest.get("policies") or ():
        for name, parameters in entry.items():
            limits = (parameters or {}).get("thresholds") or {}
            told = ", ".join(f"{code} {limit:.4g}" for code, limit in limits.items())
            if told:
                lines.append(Text(printable(f"{name}, threshold by language of query: {told}")))
    return lines


def _timings(manifest: JsonObject) -> RenderableType:
    table = _table("Wall time", "stage", "time", "")
    total = 0.0
    timings = manifest.get("timings", {})
    known = [stage for stage in _STAGES if stage in timings]
    for stage in [*known, *(stage for stage in timings if stage not in _STAGES)]:
        timing = timings[stage]
        details = timing if isinstance(timing, dict) else {"seconds": timing}
        seconds = float(details.get("seconds", 0.0))
        total += seconds
        reused = "reused" if details.get("reused") else ""
        shared = not reused and not seconds  # one job made it together with an earlier stage
        shown = "with another" if shared else format_seconds(seconds)
        table.add_row(Text(printable(stage)), Text(shown), Text(reused))
    table.add_row(Text("all"), Text(format_seconds(total)), Text(""))
    return table


def _counters(manifest: JsonObject) -> str:
    """What this run's pipelines counted, rows apart, summed over stages; empty where nothing."""
    totals: dict[str, int] = {}
    for counts in manifest.get("counters", {}).values():
        for name, value in counts.items():
            if not name.startswith(("rows_", "verdict_")):
                totals[name] = totals.get(name, 0) + int(value)
    told = (f"{name.replace('_', ' ')} {value:,}" for name, value in totals.items())
    return f"Counted by its pipelines: {printable(', '.join(told))}\n" if totals else ""


def run_head(manifest: JsonObject) -> RenderableType:
    """A run's name, and what was read for it."""
    summary = manifest.get("summary", {})
    facts = collection_facts(summary)
    facts.insert(3, counted("{} queries short of a quota", summary.get("queries_short", 0)))
    head = Text(f"Run {printable(manifest.get('run_id', '?'))}", style="bold")
    if manifest.get("created"):
        head.append(f"  {printable(manifest['created'])}", style="not bold")
    drift = [Text(drift_sentence(manifest))] if manifest.get("parent") else []
    return Group(head, Text(", ".join(facts)), *drift)


def render_summary(manifest: JsonObject, run_path: str, short: bool = False) -> RenderableType:
    """The tables of what a run holds and what it cost, for `show` and for the end of `mine`.

    Facts that the manifest lacks are shown as `-` or left out; nothing here raises for them.
    `short`: tiers, verdicts and time alone.
    """
    summary = manifest.get("summary", {})
    manifest = {**manifest, "summary": {"tiers": {}, **summary}}
    tiers, verdicts = _tiers(manifest), _verdicts(summary)
    end = [Text(f"Output: {printable(run_path)}")]
    if short:
        end.insert(0, Text(f"Time: {format_seconds(_seconds(manifest))}"))
        return Group(*(Padding(part, (0, 0, 1, 0)) for part in (tiers, verdicts)), *end)
    checks = (*_judge_checks(manifest), *_unlabelled(summary), *_lists(summary))
    parts: list[RenderableType] = [tiers, _eci(manifest), verdicts]
    parts.append(Group(_student(manifest), _judge(summary), *_judge_backends(manifest), *checks))
    if summary.get("calibration"):
        parts.append(_calibration(summary["calibration"]))
    if of_languages := _thresholds(manifest):
        parts.append(Group(*of_languages))
    if manifest.get("timings"):
        parts.append(_timings(manifest))
    peak = manifest.get("peak_memory_bytes")
    told = _counters(manifest) + (f"Peak memory: {format_bytes(peak)}\n" if peak else "")
    end[0] = Text(told + end[0].plain)
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts), *end)


def _seconds(manifest: JsonObject) -> float:
    timings = manifest.get("timings", {}).values()
    return sum(float(t.get("seconds", 0.0)) if isinstance(t, dict) else float(t) for t in timings)

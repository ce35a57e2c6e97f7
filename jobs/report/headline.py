"""The first screen: what was mined, how safe, how hard, what is wrong."""

from collections.abc import Sequence

from negmine.jobs.html.markup import Markup, element, table
from negmine.jobs.report import numbers
from negmine.jobs.report.checks.facts import Facts
from negmine.jobs.report.checks.limits import Finding
from negmine.jobs.report.metrics import Metric
from negmine.jobs.report.settings import own_leak
from negmine.schemas import JsonObject

_HARD = 0.8


def _card(
    question: str,
    value: str,
    unit: str,
    *sentences: str | None,
    bounds: str = "",
    more: Markup | None = None,
) -> Markup:
    return element(
        "section",
        element("h2", question),
        element("p", element("b", value), " ", unit, class_="big"),
        element("p", bounds, class_="soft") if bounds else None,
        [element("p", sentence) for sentence in sentences if sentence],
        more,
        class_="card",
    )


def _bounds(metric: Metric, form: numbers.Format) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"95 % interval: {form(metric.low)} to {form(metric.high)}"


def mined(facts: Facts) -> Markup | None:
    """How many negatives, for how many queries, and whether each has its quota."""
    metrics = facts.metrics
    total = metrics.get("negatives")
    if total is None:
        return None
    size, coverage = metrics.get("size"), metrics.get("coverage")
    queries, documents = facts.queries, facts.summary.get("documents")
    candidates = sum(metric.value for metric in metrics.by_key("verdict").values())
    each = f"{numbers.count(size.value)} a query (median)" if size else ""
    source = f", from {numbers.count(candidates)} candidates" if candidates else ""
    corpus = f" in {numbers.count(documents)} documents" if documents else ""
    whole = None
    if coverage:
        whole = f"{numbers.share_of(coverage, 'queries')} got their whole quota."
        if coverage.value == 1:
            whole = "Every query got its whole quota."
    return _card(
        "What was mined",
        numbers.count(total.value),
        f"negatives for {numbers.count(queries)} queries" if queries else "negatives",
        f"{each}{source if each else ''}{corpus if each and source else ''}." if each else None,
        whole,
        bounds="Counted, not estimated",
    )


def safe(facts: Facts) -> Markup | None:
    """The leak where it was measured, else what the judge says, else that nothing was."""
    metrics = facts.metrics
    leak = own_leak(facts.manifest, metrics)
    rate, safety = metrics.get("judge_fn_rate"), metrics.get("safety")
    kind = (facts.config.get("judge") or {}).get("kind")
    told = None
    if rate:
        told = (
            f"The run's own judge{f' ({kind})' if kind else ''} puts "
            f"{numbers.share_of(rate, 'negatives')} above their positive."
        )
    checked = " ".join(map(_judge_check, facts.manifest.get("judge_checks") or [])) or None
    if leak:
        value, of = numbers.of_all(leak, "hidden positives were taken for negatives")
        return _card(
            "How safe",
            value,
            of,
            "The leak, a test: known positives were hidden and the choice was made again. "
            "Unlabelled ones leak about as often.",
            told,
            checked,
            bounds=_share_bounds(leak),
        )
    if rate:
        value, of = numbers.of_all(rate, "negatives are above their positive")
        return _card(
            "How safe",
            value,
            of,
            f"By the run's own judge{f' ({kind})' if kind else ''}, which chose them: not an "
            "independent test. Hidden positives were not measured.",
            checked,
            bounds=_share_bounds(rate),
        )
    if safety is None:
        return None
    distance = numbers.with_interval(safety, numbers.score)
    return _card(
        "How safe",
        "Not measured",
        "for lack of a judge and of hidden positives",
        f"For the student, negatives are {distance} less similar to the query than its positive "
        "(Δ). That does not see positives that nobody labelled.",
    )


def _share_bounds(metric: Metric) -> str:
    of = f", of {numbers.count(metric.over)}" if metric.over else ""
    return f"{_bounds(numbers.proportion(metric), numbers.percent)}{of}".lstrip(", ")


def _judge_check(check: JsonObject) -> str:
    auc, low, high = (numbers.score(check.get(key, float("nan"))) for key in ("auc", "low", "high"))
    return (
        f"On a sample, judge {check.get('judge', '?')} tells known positives from random documents "
        f"with AUC {auc} [{low}, {high}]."
    )


def hard(facts: Facts) -> Markup | None:
    """Mean similarity of query and negatives beside the positives', and the share of hard ones."""
    metrics = facts.metrics
    signal, positive = metrics.get("signal"), metrics.get("dense_positive", key="mean")
    if signal is None:
        return None
    beside = f" Their positives have {numbers.score(positive.value)}." if positive else ""
    bins = metrics.by_bin("ratio_histogram")
    if not bins:
        for tier in facts.tiers:
            for edge, metric in metrics.by_bin("ratio_histogram", tier).items():
                sum_so_far = bins[edge].value if edge in bins else 0.0
                bins[edge] = Metric(sum_so_far + metric.value)
    total = sum(metric.value for metric in bins.values())
    near = sum(metric.value for edge, metric in bins.items() if edge >= _HARD - 1e-9)
    share = None
    if total:
        share = (
            f"{numbers.percent(near / total)} of {numbers.count(total)} are hard: at least {_HARD} "
            "times as similar to the query as its positive is."
        )
    return _card(
        "How hard",
        numbers.score(signal.value),
        "mean similarity of negative and query",
        f"The student's cosine; 0 is unrelated.{beside}",
        share,
        bounds=_bounds(signal, numbers.score),
    )


def corpus(config: JsonObject) -> str:
    """The name of what was mined: of its data set, folder or file; nothing where unknown."""
    section = config.get("input") or {}
    named = next((section[k] for k in ("name", "path", "documents") if section.get(k)), None)
    if named is None:
        return str(section.get("format") or "")
    path = str(named).rstrip("/")
    name = path if section.get("name") else path.rpartition("/")[2]
    split = section.get("split")
    return f"{name} ({split})" if split else name


def title(facts: Facts, run_id: str) -> str:
    """What was mined, who judged, and which tiers were filled: `scifact (train), judge fusion,
    hard 5`; the run's name where it does not say."""
    judge = (facts.config.get("judge") or {}).get("kind")
    judged = {None: [], "none": ["no judge"]}.get(judge, [f"judge {judge}"])
    tiers = facts.config.get("tiers") or {}
    quotas = ((name, (tiers.get(name) or {}).get("quota")) for name in facts.tiers)
    filled = [f"{name} {quota}" for name, quota in quotas if quota]
    return ", ".join([corpus(facts.config) or f"run {run_id}", *judged, *filled])


def told(findings: Sequence[Finding]) -> tuple[str, str]:
    """How many findings, and how bad: `4`, `things to look at, none serious`."""
    serious = sum(finding.serious for finding in findings)
    thing = "thing" if len(findings) == 1 else "things"
    return str(len(findings)), f"{thing} to look at, {serious or 'none'} serious"


def wrong(findings: Sequence[Finding]) -> Markup:
    """How many findings, and their titles as links."""
    if not findings:
        return _card("What is wrong", "Nothing", "that was checked", "No value passed its limit.")
    links = [
        element(
            "li", element("a", f.title, href=f"#finding-{n}"), class_="bad" if f.serious else "look"
        )
        for n, f in enumerate(findings)
    ]
    return _card("What is wrong", *told(findings), more=element("ul", links))


def by_tier(facts: Facts) -> Markup | None:
    """The main numbers of each tier, hardest first; columns that nothing fills are left out."""
    columns = {
        "negatives": ("negatives", numbers.count),
        "backfilled": ("backfilled", numbers.count),
        "queries short": ("queries_short", numbers.count),
        "S: similarity": ("signal", numbers.score),
        "Δ: distance below the positive": ("safety", numbers.score),
        "nearer than the positive": ("ratio_above_one", numbers.percent),
        "judge prefers it": ("judge_fn_rate", numbers.percent),
        "shortcut AUC": ("shortcut_auc", numbers.score),
        "expected gain": ("expected_gain", numbers.score),
        "ECI": ("eci", numbers.score),
    }
    places = [*facts.tiers, None]
    filled = {
        heading: [facts.metrics.get(metric, tier) for tier in places]
        for heading, (metric, _) in columns.items()
    }
    filled = {heading: cells for heading, cells in filled.items() if any(cells)}
    if not filled:
        return None
    rows = [
        [
            "all" if tier is None else tier,
            *(_cell(cells[n], columns[heading][1]) for heading, cells in filled.items()),
        ]
        for n, tier in enumerate(places)
    ]
    caption = "By tier, hardest first; 95 % intervals in brackets"
    return table(caption, ["tier", *filled], rows, stacked=True)


def _cell(metric: Metric | None, form: numbers.Format) -> list[object]:
    if metric is None:
        return ["-"]
    metric = numbers.proportion(metric) if form is numbers.percent else metric
    bounds = numbers.interval(metric, form)
    return [form(metric.value), element("small", bounds) if bounds else None]

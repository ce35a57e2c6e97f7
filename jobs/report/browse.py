"""The sample as HTML: every pair's texts and scores, with what the filters need."""

from negmine.jobs.html.markup import Markup, cut, element
from negmine.jobs.report import numbers
from negmine.jobs.report.sections.sample import Group
from negmine.schemas import JsonObject
from negmine.schemas.verdicts import MEANINGS

TEXT_BYTES, QUERY_BYTES, ID_BYTES = 900, 400, 120
_NOT_HERE = "Its text is not in the run"
_SCORES = {
    "student": ("dense_score", "positive_dense_score"),
    "judge": ("judge_score", "positive_judge_score"),
}
_PLAIN = {
    "judge margin": "judge_margin",
    "BM25": "bm25_score",
    "cosine with a positive": "positive_cosine",
    "shingle Jaccard with a positive": "positive_jaccard",
    "weight": "weight",
}
_RANKS = {"rank in tier": "rank", "BM25 rank": "bm25_rank", "dense rank": "dense_rank"}


def browse(groups: list[Group]) -> list[Markup]:
    """The filters and the groups; the filters stay hidden without JavaScript."""
    tiers = sorted({str(r["tier"]) for g in groups for r in g.rows if r.get("tier") is not None})
    order = [group.tier for group in groups if group.tier is not None]
    tiers = order + [tier for tier in tiers if tier not in order]
    verdicts = list(dict.fromkeys(group.verdict for group in groups))
    sources = sorted({source for g in groups for r in g.rows for source in r["sources"] or []})
    choices = [("tier", tiers), ("verdict", verdicts), ("source", sources)]
    form = element(
        "form",
        [_choice(name, values) for name, values in choices],
        element(
            "label",
            "Text or id",
            element("input", type="search", id="search", autocomplete="off", maxlength="200"),
        ),
        element("button", "Show all", type="reset"),
        element("output", role="status", id="shown"),
        id="filters",
        hidden=True,
    )
    shown = [
        _group(group, n == 0, {"tier": tiers, "verdict": verdicts, "source": sources})
        for n, group in enumerate(groups)
        if group.rows
    ]
    return [form, *shown]


def _choice(name: str, values: list[str]) -> Markup:
    options = [element("option", f"any {name}", value="")]
    options += [
        element("option", cut(value, ID_BYTES)[0], value=str(n)) for n, value in enumerate(values)
    ]
    return element("label", name.capitalize(), element("select", options, id=f"filter-{name}"))


def _group(group: Group, opened: bool, words: dict[str, list[str]]) -> Markup:
    kind = "dropped" if group.tier is None else "tier"
    counted = f"{len(group.rows)} of {numbers.count(group.total)}"
    return element(
        "details",
        element(
            "summary",
            element(
                "h3",
                element("span", kind, class_="kind"),
                " ",
                cut(group.name, ID_BYTES)[0],
            ),
            " ",
            element("span", counted, class_="soft"),
        ),
        element("p", MEANINGS[group.verdict], class_="soft") if group.verdict in MEANINGS else None,
        [_pair(row, group, words) for row in group.rows],
        class_="group",
        open=opened,
    )


def _pair(row: JsonObject, group: Group, words: dict[str, list[str]]) -> Markup:
    tier = row.get("tier")
    sources = [str(words["source"].index(source)) for source in row["sources"] or []]
    title = "Negative" if group.tier is not None else "Candidate"
    return element(
        "article",
        element("h4", _text(row.get("query"), QUERY_BYTES), dir="auto"),
        element("p", "query ", _identifier(row["query_id"]), class_="id"),
        element(
            "div",
            _document("Positive", row.get("positive_id"), row.get("positive")),
            _document(title, row.get("negative_id"), row.get("negative")),
            class_="two",
        ),
        element("dl", _scores(row, group)),
        class_="pair",
        data_tier=None if tier is None else words["tier"].index(tier),
        data_verdict=words["verdict"].index(group.verdict),
        data_source=" ".join(sources),
    )


def _identifier(value: object) -> Markup:
    return element("code", "?" if value is None else cut(str(value), ID_BYTES)[0])


def _document(title: str, identifier: object, text: str | None) -> Markup:
    return element(
        "div",
        element("h5", title, " ", _identifier(identifier)),
        element("p", _text(text, TEXT_BYTES), class_=_kind(text), dir="auto"),
    )


def _kind(text: str | None) -> str:
    """Code is set in letters of one width: most of its lines are indented, or two are."""
    lines = [line for line in (text or "").split("\n") if line.strip()]
    indented = sum(line.startswith(("  ", "\t")) for line in lines)
    return "text code" if indented >= 2 or 2 * indented > len(lines) else "text"


def _text(text: str | None, size: int) -> list[object]:
    if text is None:
        return [element("i", _NOT_HERE)]
    shown, lacking = cut(text, size)
    if not lacking:
        return [shown or element("i", "empty")]
    note = f" [cut: {numbers.count(lacking)} more characters]"
    return [shown, "…", element("i", note)]


def _number(value: float | None) -> str | None:
    return None if value is None else numbers.score(float(value))


def _scores(row: JsonObject, group: Group) -> list[Markup]:
    shown: list[tuple[str, object]] = [("sources", ", ".join(row["sources"] or []))]
    for name, (own, positive) in _SCORES.items():
        if row.get(own) is not None:
            beside = _number(row.get(positive))
            value = str(_number(row[own]))
            shown.append((name, f"{value} (positive {beside})" if beside else value))
    shown += [(name, _number(row.get(column))) for name, column in _PLAIN.items()]
    shown += [(name, row.get(column)) for name, column in _RANKS.items()]
    parts = row.get("judge_parts") or {}
    shown += [(f"judge: {name}", _number(value)) for name, value in dict(parts).items()]
    if group.tier is None:
        shown += [
            ("policy", row.get("policy")),
            ("value", _number(row.get("value"))),
            ("limit", _number(row.get("threshold"))),
            ("tier of its band", row.get("tier")),
        ]
    for column in ("is_positive", "confirmed_negative", "backfilled"):
        shown.append((column.replace("_", " "), "yes" if row.get(column) else None))
    return [
        element("div", element("dt", name), element("dd", cut(str(value), ID_BYTES)[0]))
        for name, value in shown
        if value is not None and not (name == "weight" and value == "1.000")
    ]

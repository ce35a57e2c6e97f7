"""Resolution of identifiers: evaluation splits and labels against plain models, in any order."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negmine.transforms.ingesting.raw import SCHEMAS, write_raw
from negmine.transforms.ingesting.resolve import Resolved
from negmine.transforms.kernels.text import identity as comparable
from negmine.transforms.readers.rows import Document, Judgement, Label, Query, Source

Texts = Sequence[tuple[str, str]]
Judged = Sequence[tuple[str, str, int]]
ROWS = {"documents": Document, "queries": Query, "qrels": Judgement, "labels": Label}


def opened(
    base: Path, mined: dict[str, Any], evaluation: dict[str, Any], order: random.Random
) -> Resolved:
    parts: dict[str, list[str]] = {kind: [] for kind in SCHEMAS}
    for at, (kind, rows) in enumerate([*mined.items(), *evaluation.items()]):
        source = Source(kind, "", kind, evaluation=at >= len(mined))
        made = [ROWS[kind](line, *row) for line, row in enumerate(rows, 1)]
        order.shuffle(made)
        for name, path in write_raw(at, source, made, 7, str(base / "raw"), 3).parts:
            parts[name].append(path)
    names = [*mined, *evaluation]
    return Resolved(base / "spill", parts, SCHEMAS, names)


def resolved(
    base: Path, mined: dict[str, Any], evaluation: dict[str, Any], order: random.Random
) -> tuple[dict[str, bool], list[list[str]], dict[str, int]]:
    """Flag of each document, ids of each query, and the counts."""
    with opened(base, mined, evaluation, order) as found:
        documents = [row for table in found.documents(2) for row in table.to_pylist()]
        queries = [row for table in found.queries(2) for row in table.to_pylist()]
        dead = [row for table in found.dead_letters(2) for row in table.to_pylist()]
        counts = found.counts()
    told = sorted(r["excerpt"].split("\t")[0] for r in dead if "evaluation query" in r["reason"])
    assert len(told) == counts["evaluation_queries"]
    flags = {row["doc_id"]: row["in_evaluation"] for row in documents}
    ids = [[row["query_id"], *row["merged_ids"]] for row in queries]
    return flags, [*ids, told], counts


TEXTS = st.sampled_from(["a", "A!", "b c", "B. C", "東京", "?", "!"])
IDS = st.sampled_from(["1", "2", "10", "é", "q"])
UNIQUE = st.lists(st.tuples(IDS, TEXTS), max_size=5, unique_by=lambda row: row[0])
JUDGED = st.lists(st.tuples(IDS, IDS, st.integers(-1, 2)), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    documents=UNIQUE,
    queries=UNIQUE,
    qrels=JUDGED,
    judged=JUDGED,
    asked=st.one_of(st.none(), UNIQUE.filter(bool)),
    seed=st.integers(0, 9),
)
def test_evaluation_splits_agree_with_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory,
    documents: Texts,
    queries: Texts,
    qrels: Judged,
    judged: Judged,
    asked: Texts | None,
    seed: int,
) -> None:
    evaluation = {"qrels": judged, **({} if asked is None else {"queries": asked})}
    mined = {"documents": documents, "queries": queries, "qrels": qrels}
    base = tmp_path_factory.mktemp("resolve")
    flags, (*ids, told), counts = resolved(base, mined, evaluation, random.Random(seed))

    corpus = {identity: comparable(text) for identity, text in documents}
    texts = {identity: comparable(text) for identity, text in queries}
    evaluated = {identity: comparable(text) for identity, text in asked or queries}
    held_out = {corpus[d] for _, d, grade in judged if grade > 0 and d in corpus}
    assert flags == {identity: text in held_out for identity, text in corpus.items()}

    forbidden = {evaluated[q] for q, _, _ in judged if q in evaluated}
    alive = {q for q, d, grade in qrels if grade > 0 and q in texts and d in corpus}
    assert told == sorted(q for q in alive if texts[q] in forbidden)
    groups: dict[str, list[str]] = {}
    for query in sorted(alive - set(told), key=str.encode):
        groups.setdefault(texts[query], []).append(query)
    assert ids == sorted(groups.values(), key=lambda group: group[0].encode())
    known = [q for q, d, grade in qrels if grade > 0 and q in texts and d in corpus]
    assert counts["unmined_judgements"] == sum(q in told for q in known)
    assert counts["merged_queries"] == sum(len(group) - 1 for group in groups.values())
    assert counts["evaluation_documents"] == sum(flags.values())


LABELS = st.lists(st.tuples(IDS, IDS, st.booleans()), max_size=8)
PLAIN = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@PLAIN
@given(documents=UNIQUE, queries=UNIQUE, qrels=JUDGED, labels=LABELS, seed=st.integers(0, 9))
def test_labels_agree_with_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory,
    documents: Texts,
    queries: Texts,
    qrels: Judged,
    labels: Sequence[tuple[str, str, bool]],
    seed: int,
) -> None:
    mined = {"documents": documents, "queries": queries, "qrels": qrels, "labels": labels}
    base = tmp_path_factory.mktemp("resolve")
    with opened(base, mined, {}, random.Random(seed)) as made:
        names = [row["query_id"] for table in made.queries(2) for row in table.to_pylist()]
        ids = [row["doc_id"] for table in made.documents(2) for row in table.to_pylist()]
        found = [
            [
                (names[row["query_ix"]], ids[row["doc_ix"]])
                for table in tables
                for row in table.to_pylist()
            ]
            for tables in (made.positives(2), made.confirmed_negatives(2))
        ]
        dead = [row["reason"] for table in made.dead_letters(2) for row in table.to_pylist()]
        counts = made.counts()

    texts = {identity: comparable(text) for identity, text in queries}
    corpus = {identity for identity, _ in documents}
    judged = [(q, d) for q, d, grade in qrels if grade > 0 and q in texts and d in corpus]
    usable = [(q, d, is_positive) for q, d, is_positive in labels if q in texts and d in corpus]
    served: dict[str, str] = {}
    for query in sorted({q for q, _ in judged}, key=str.encode):
        served.setdefault(texts[query], query)
    known = {(texts[q], d) for q, d in [*judged, *((q, d) for q, d, yes in usable if yes)]}
    refused = [(q, d) for q, d, yes in usable if not yes and (texts[q], d) in known]
    negative = {(texts[q], d) for q, d, yes in usable if not yes} - known
    for pairs, expected in zip(found, (known, negative), strict=True):
        wanted = {(served[text], d) for text, d in expected if text in served}
        assert pairs == sorted(wanted, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    assert sum("stays one" in reason for reason in dead) == len(refused)
    unknown = sum(q not in texts or d not in corpus for q, d, _ in labels)
    unknown += sum(grade > 0 and (q not in texts or d not in corpus) for q, d, grade in qrels)
    assert sum(reason.startswith("unknown") for reason in dead) == unknown
    told = [counts[f"{fate}_judgements"] for fate in ("dangling", "unmined", "repeated")]
    assert counts["judgements"] == sum(grade > 0 for _, _, grade in qrels)
    assert counts["judgements"] - sum(told) == len({(texts[q], d) for q, d in judged})
    assert counts["unused_labels"] == sum(texts[q] not in served for q, _, _ in usable)

"""The false-negative benchmark: what is hidden, what is counted, and the rival run as it is."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import false_negatives
from benchmarks._hidden_positives import (
    Positives,
    read_positives,
    split_positives,
    write_reduced,
)
from benchmarks._measures import measure
from benchmarks._selections import (
    Bench,
    Selection,
    SentenceTransformersMiner,
    naive,
    ours,
)
from negmine.transforms.kernels.hashing import text_keys
from tests.transforms.input_files import write_beir

pytest.importorskip("datasets")

TOPICS = (
    "volcano lava eruption crater magma ash",
    "violin orchestra symphony conductor melody concert",
    "glacier ice snow arctic frozen polar",
    "bread flour yeast oven dough bakery",
    "planet orbit telescope star galaxy comet",
    "football goal stadium referee league match",
    "vaccine virus immune antibody infection dose",
    "bridge steel cable girder engineer span",
)
JUDGE = {"kind": "late_interaction"}
MARGIN = [{"judge_relative_margin": {"keep_below": 0.95}}]


def document(topic: int, at: int) -> str:
    """Three of a topic's words in an order of its own, and one of the next topic's."""
    words, other = TOPICS[topic].split(), TOPICS[(topic + 1) % len(TOPICS)].split()
    picked = " ".join(words[(at + step) % 6] for step in (0, 1, 3))
    return f"The {picked} of report {at} mentions a {other[at % 6]} too."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight topics of eight documents; a query's positives are six of its topic, one twice."""
    texts = {f"d{t}{at}": document(t, at) for t in range(8) for at in range(8)}
    texts["copy"] = texts["d00"]
    queries = {f"q{t}": "What about " + " ".join(TOPICS[t].split()[:2]) for t in range(8)}
    queries["single"] = "a question with one answer about lava"
    qrels = [(f"q{t}", f"d{t}{at}", 1) for t in range(8) for at in range(6)]
    qrels += [("q0", "copy", 2), ("q0", "d77", 0), ("single", "d11", 1), ("q1", "missing", 1)]
    return write_beir(
        tmp_path_factory.mktemp("topics"),
        [{"_id": name, "text": text} for name, text in texts.items()],
        [{"_id": name, "text": text} for name, text in queries.items()],
        qrels,
        split="test",
    )


@pytest.fixture(scope="module")
def positives(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Positives:
    return read_positives(str(folder), "test", str(tmp_path_factory.mktemp("all")))


@pytest.fixture(scope="module")
def mined(
    folder: Path, positives: Positives, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bench, Positives]:
    """The collection under setting A, at full precision."""
    out = tmp_path_factory.mktemp("mined")
    known, hidden = split_positives(positives, "A", 42)
    reduced = write_reduced(str(folder), "test", known, out / "reduced")
    return Bench(str(reduced), str(out), [JUDGE], 3, 42, {"precision": "fp32"}), hidden


def pairs_of(positives: Positives) -> set[tuple[str, str]]:
    return set(zip(positives.query_id, positives.doc_id, strict=True))


def made_up(sizes: list[int]) -> Positives:
    """Positives of queries with these many."""
    rows = [(f"q{q}", f"d{q}-{at}") for q, size in enumerate(sizes) for at in range(size)]
    query, doc = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    return Positives(query, doc, text_keys(query), text_keys(doc), text_keys(doc))


def test_positives_are_those_with_a_grade_above_zero_each_text_once(positives: Positives) -> None:
    pairs = pairs_of(positives)
    assert len(pairs) == len(positives.doc_id) == 8 * 6 + 1
    assert len(pairs & {("q0", "d00"), ("q0", "copy")}) == 1
    assert not {pair for pair in pairs if pair[1] in {"d77", "missing"}}


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(0, 2**40))
def test_setting_a_keeps_one_positive_a_query(sizes: list[int], seed: int) -> None:
    known, hidden = split_positives(made_up(sizes), "A", seed)
    assert sorted(known.query_id) == [f"q{q}" for q in range(len(sizes))]
    assert pairs_of(known) | pairs_of(hidden) == pairs_of(made_up(sizes))
    assert not pairs_of(known) & pairs_of(hidden)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(0, 2**40))
def test_setting_b_hides_thirty_percent_rounded_up_of_queries_with_two(
    sizes: list[int], seed: int
) -> None:
    known, hidden = split_positives(made_up(sizes), "B", seed)
    for query, size in enumerate(sizes):
        found = int((hidden.query_id == f"q{query}").sum())
        left = int((known.query_id == f"q{query}").sum())
        assert (found, left) == ((0, 0) if size < 2 else (-(-3 * size // 10), size - found))
        assert left >= 1 or size < 2


@given(st.permutations(range(20)), st.integers(1, 6))
def test_what_is_hidden_does_not_depend_on_order_and_grows_with_the_queries(
    order: list[int], queries: int
) -> None:
    every = made_up([3, 5, 2, 4, 6])
    first = split_positives(every, "A", 7, queries)
    again = split_positives(every.take(np.array(order)), "A", 7, queries)
    assert [pairs_of(part) for part in first] == [pairs_of(part) for part in again]
    assert len(first[0].query_id) == min(queries, 5)
    assert pairs_of(first[0]) <= pairs_of(split_positives(every, "A", 7)[0])


def test_the_reduced_folder_has_the_same_texts_and_only_known_positives(
    mined: tuple[Bench, Positives], positives: Positives
) -> None:
    bench, hidden = mined
    sets = bench.base.ingested
    ids = {
        name: sets[name].read()[column].to_pylist()
        for name, column in (("queries", "query_id"), ("documents", "doc_id"))
    }
    found = {
        (ids["queries"][q], ids["documents"][d]) for q, d in zip(*bench.positives, strict=True)
    }
    assert len(ids["documents"]) == 65
    assert found == pairs_of(positives) - pairs_of(hidden)


def test_sentence_transformers_mines_the_same_as_with_its_own_embedding(
    mined: tuple[Bench, Positives],
) -> None:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import mine_hard_negatives

    bench, _ = mined
    theirs = SentenceTransformersMiner(bench)
    found = theirs.mine({"relative_margin": 0.05, "range_max": 20})
    plain = mine_hard_negatives(
        Dataset.from_dict(theirs.pairs.to_dict()),
        SentenceTransformer(bench.base.student.weights.folder, device="cpu"),
        corpus=theirs.corpus,
        num_negatives=3,
        relative_margin=0.05,
        range_max=20,
        verbose=False,
    )
    expected = {(theirs.query_ix[row["query"]], theirs.doc_ix[row["negative"]]) for row in plain}
    assert set(zip(found.query.tolist(), found.doc.tolist(), strict=True)) == expected
    assert found.name == "ST rel 0.05 r20"


def test_figures_match_a_count_by_hand(mined: tuple[Bench, Positives]) -> None:
    bench, hidden = mined
    taken = naive(bench)
    sets = bench.base.ingested
    texts = sets["documents"].read()["text"].to_pylist()
    names = sets["queries"].read()["query_id"].to_pylist()
    by_id = dict(zip(sets["documents"].read()["doc_id"].to_pylist(), texts, strict=True))
    secret = {(q, by_id[d]) for q, d in pairs_of(hidden)}
    known = {(names[q], texts[d]) for q, d in zip(*bench.positives, strict=True)}
    pairs = [(names[q], texts[d]) for q, d in zip(taken.query, taken.doc, strict=True)]
    assert not known & set(pairs)
    assert len(pairs) == 3 * len(names)

    measured = measure(bench, taken, bench.hidden_keys(hidden))
    false = sum(pair in secret for pair in pairs)
    assert false > 0
    assert measured.figures["false_negatives"].value == false
    assert measured.rate == pytest.approx(false / len(pairs))
    assert measured.figures["leak"].value == pytest.approx(false / len(secret))
    one_positive = dict(zip(*bench.positives, strict=True))
    ratio = [
        bench.similarity(np.array([q]), np.array([d]))[0]
        / bench.similarity(np.array([q]), np.array([one_positive[q]]))[0]
        for q, d in zip(taken.query, taken.doc, strict=True)
    ]
    assert measured.hard == sum(value >= 0.8 for value in ratio)
    below = measured.figures["hard_below_positive"].value
    assert below == sum(0.8 <= value < 1 for value in ratio)
    assert measured.figures["ratio"].value == pytest.approx(np.mean(ratio))
    assert 0 <= measured.figures["shortcut_auc"].value <= 1


def test_ours_are_the_pipelines_kept_negatives(mined: tuple[Bench, Positives]) -> None:
    bench, _ = mined
    found = ours(bench, "margin", "ours", JUDGE, MARGIN)
    assert isinstance(found, Selection)
    assert np.bincount(found.query).max() <= 3
    known = bench.pair_keys(*bench.positives)
    assert not np.isin(bench.pair_keys(found.query, found.doc), known).any()


def test_a_method_that_the_config_does_not_know_is_named_and_not_run(
    mined: tuple[Bench, Positives],
) -> None:
    reason = ours(mined[0], "coming", "ours", JUDGE, [{"no_such_policy": {}}])
    assert reason == "coming: Value error, unknown policy 'no_such_policy'"


@pytest.mark.parametrize(
    ("text", "judge"),
    [
        ("fusion", {"kind": "fusion"}),
        ("cross_encoder=a/b", {"kind": "cross_encoder", "model": "a/b"}),
        ("{kind: cross_encoder, model: a/b, max_length: 99}", {"max_length": 99}),
    ],
)
def test_a_judge_is_a_kind_a_kind_with_a_model_or_yaml(text: str, judge: dict[str, object]) -> None:
    assert judge.items() <= false_negatives.parse_judge(text).items()


def test_a_judge_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        false_negatives.parse(["folder", "--judge", "oracle"])
    assert "--judge" in capsys.readouterr().err


@pytest.mark.long
def test_the_script_prints_a_table_and_writes_results_and_a_plot(
    folder: Path, mined: tuple[Bench, Positives], capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(mined[0].output)
    arguments = ["--out", str(out), "--plot", str(out / "plot.svg"), "--setting", "A"]
    arguments += ["--precision", "fp32"]
    arguments += ["--negatives", "3", "--judge", "late_interaction", "--sampling", "top"]
    false_negatives.main([str(folder), *arguments])
    printed = capsys.readouterr().out
    results = json.loads((out / "results.json").read_text())["A"]
    names = [entry["name"] for entry in results["methods"]]
    assert names[0] == "naive top" and "ours late_interaction margin 0.95" in names
    assert len([name for name in names if name.startswith("ST ")]) == 17
    assert all(f"| {name} " in printed for name in names)
    rate = results["methods"][0]["figures"]["false_negative_rate"]
    assert rate["low"] < rate["value"] < rate["high"]
    assert printed.count("holds: ") + printed.count("NOT hold: ") == len(results["claims"]) == 3
    ET.parse(out / "plot.svg")

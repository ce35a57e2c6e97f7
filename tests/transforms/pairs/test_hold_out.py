"""Held-out positives: which are hidden, and what a block's pairs are without them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.judging.calibrate import read_calibration
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.sampling import gumbel
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.near_duplicates import jaccard, minhash, shingles
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.hold_out import (
    HeldOut,
    calibrations,
    hidden_positives,
    hold_out,
    wilson,
)
from tests.transforms.kernels.pairs import pairs_of

TEXTS = (
    "the lift of a swept wing at low speed",
    "the lift of a swept wing at low speed",
    "the lift of a swept wing at very low speed",
    "heat transfer in a laminar boundary layer",
    "heat transfer in a laminar boundary layer with suction",
    "buckling of thin shells under axial load",
    "flutter of panels at supersonic speed",
    "a note on creep",
)
VECTORS = np.random.default_rng(1).normal(size=(len(TEXTS), 4)).astype(np.float32)
KEYS = text_keys(TEXTS)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("collection")
    ix = list(range(len(TEXTS)))
    documents = {
        "doc_ix": ix,
        "doc_id": [f"d{i}" for i in ix],
        "text": list(TEXTS),
        "doc_key": ix,
        "text_key": KEYS,
        "minhash": [minhash(shingles(text)) for text in TEXTS],
        "in_evaluation": [False] * len(ix),
        "group_key": [0] * len(ix),
        "place": [-1] * len(ix),
    }
    vectors = {
        "ix": ix,
        "text_hash": ix,
        "vector": VECTORS.tolist(),
        "token_vectors": [None] * len(ix),
    }
    sets = {}
    for name, columns, schema in (
        ("documents", documents, tables.DOCUMENTS),
        ("vectors", vectors, tables.vectors(4)),
    ):
        sets[name] = Dataset(str(folder / name))
        part = pa.table(columns, schema=schema)
        write_part(sets[name].path, Block(0, len(ix)).part, part, schema)
    no = Dataset(str(folder / "none"))
    return Collection(sets["documents"], no, no, sets["vectors"], no)


Row = tuple[bool, int]
"""Whether a document is a positive, and its rank (0: no source returned it)."""
ROW = st.tuples(st.booleans(), st.integers(0, 2))
QUERY = st.dictionaries(st.integers(0, len(TEXTS) - 1), ROW, min_size=1).filter(
    lambda documents: any(positive for positive, _ in documents.values())
)
BLOCK = st.lists(QUERY, min_size=1, max_size=6)


def block(queries: list[dict[int, Row]], first: int = 0) -> Pairs:
    """Pairs of queries, given by their documents; `first` is the number of the first one."""
    rows: list[dict[str, Any]] = [
        {
            "query": at,
            "doc_ix": doc,
            "is_positive": positive or not rank,
            "dense_rank": rank,
            "text_key": KEYS[doc],
            "pair_key": int(mix(first + at, doc)),
            "positive_cosine": 9.0,
            "positive_jaccard": 9.0,
            "same_text_as_positive": True,
        }
        for at, documents in enumerate(queries)
        for doc, (positive, rank) in sorted(documents.items())
    ]
    return pairs_of(rows)


def hidden_of(pairs: Pairs, seed: int) -> np.ndarray:
    return hidden_positives(pairs.query, pairs.is_positive, pairs.pair_key, seed)


@given(BLOCK, st.integers(0, 99))
def test_30_percent_rounded_up_are_hidden_and_one_stays(
    queries: list[dict[int, Row]], seed: int
) -> None:
    pairs = block(queries)
    hidden = hidden_of(pairs, seed)
    assert not hidden[~pairs.is_positive].any()
    for query in range(pairs.queries):
        positives = int(pairs.is_positive[pairs.query == query].sum())
        expected = 0 if positives == 1 else -(-3 * positives // 10)
        assert hidden[pairs.query == query].sum() == expected < positives


@given(BLOCK, st.integers(0, 99), st.integers(0, 6))
def test_hiding_does_not_depend_on_the_cut_into_blocks(
    queries: list[dict[int, Row]], seed: int, cut: int
) -> None:
    cut = min(cut, len(queries))
    whole = hidden_of(block(queries), seed)
    pieces = [block(part, at) for part, at in ((queries[:cut], 0), (queries[cut:], cut)) if part]
    assert whole.tolist() == np.concatenate([hidden_of(p, seed) for p in pieces]).tolist()


def test_other_seeds_hide_others_and_every_positive_has_its_turn() -> None:
    pairs = block([dict.fromkeys(range(len(TEXTS)), (True, 1))])
    hidden = np.stack([hidden_of(pairs, seed) for seed in range(200)])
    assert hidden.any(axis=0).all()
    assert np.allclose(hidden.mean(axis=0), 3 / 8, atol=0.12)


def test_hiding_says_nothing_about_when_a_random_method_tries_a_document() -> None:
    keys = mix(5, np.arange(20_000, dtype=np.uint64))
    query = np.repeat(np.arange(10_000), 2)
    hidden = hidden_positives(query, np.ones(20_000, dtype=bool), keys, seed=3)
    noise = gumbel(keys, 3)
    assert abs(noise[hidden].mean() - noise[~hidden].mean()) < 0.08


def oracle(queries: list[dict[int, Row]], hidden: set[tuple[int, int]]) -> list[dict[str, Any]]:
    """Rows of the queries with hidden positives, one comparison at a time."""
    rows = []
    for query, documents in enumerate(queries):
        known = {
            doc
            for doc, (positive, rank) in documents.items()
            if (positive or not rank) and (query, doc) not in hidden
        }
        held = [doc for at, doc in hidden if at == query]
        for doc in sorted(documents):
            if held and (documents[doc][1] > 0 or doc in known):
                unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
                rows.append(
                    {
                        "doc_ix": doc,
                        "is_positive": doc in known,
                        "copies": sum(TEXTS[doc] == TEXTS[other] for other in held),
                        "same_text_as_positive": TEXTS[doc] in {TEXTS[other] for other in known},
                        "positive_cosine": max(unit[doc] @ unit[other] for other in known),
                        "jaccard": max(
                            jaccard(shingles(TEXTS[doc]), shingles(TEXTS[other])) for other in known
                        ),
                    }
                )
    return rows


@given(queries=BLOCK, seed=st.integers(0, 99))
def test_pairs_are_compared_with_the_positives_that_stay(
    collection: Collection, queries: list[dict[int, Row]], seed: int
) -> None:
    pairs = block(queries)
    hidden = hidden_of(pairs, seed)
    held = hold_out(collection, pairs, seed)
    expected = oracle(queries, set(zip(pairs.query[hidden], pairs.doc_ix[hidden], strict=True)))
    assert held.hidden == hidden.sum()
    assert held.copies.tolist() == [row["copies"] for row in expected]
    for name in ("doc_ix", "is_positive", "same_text_as_positive"):
        assert getattr(held.pairs, name).tolist() == [row[name] for row in expected]
    cosine = [row["positive_cosine"] for row in expected]
    assert held.pairs.positive_cosine == pytest.approx(cosine, abs=1e-5)
    exact = np.array([row["jaccard"] for row in expected])
    assert np.allclose(held.pairs.positive_jaccard, exact, atol=0.2)
    assert ((held.pairs.positive_jaccard == 1.0) == (exact == 1.0)).all()


@given(queries=BLOCK, seed=st.integers(0, 99), cut=st.integers(0, 6))
def test_pairs_do_not_depend_on_the_cut_into_blocks(
    collection: Collection, queries: list[dict[int, Row]], seed: int, cut: int
) -> None:
    cut = min(cut, len(queries))
    whole = hold_out(collection, block(queries), seed)
    pieces = [
        hold_out(collection, block(part, at), seed)
        for part, at in ((queries[:cut], 0), (queries[cut:], cut))
        if part
    ]
    for name in ("doc_ix", "positive_cosine", "positive_jaccard", "same_text_as_positive"):
        together = np.concatenate([getattr(piece.pairs, name) for piece in pieces])
        assert getattr(whole.pairs, name).tobytes() == together.tobytes()
    assert whole.hidden == sum(piece.hidden for piece in pieces)


def test_a_block_of_single_positives_is_left_empty(collection: Collection) -> None:
    held = hold_out(collection, block([{0: (True, 1), 3: (False, 2)}, {5: (True, 0)}]), 0)
    assert (held.hidden, held.pairs.queries, len(held.rows)) == (0, 0, 0)


def test_a_twin_of_a_hidden_positive_counts_as_it(collection: Collection) -> None:
    """Documents 0 and 1 have one text: whichever is taken, the hidden positive's text is taken."""
    queries = [{0: (True, 1), 1: (False, 2), 3: (False, 3), 5: (True, 1)}]
    seed = next(s for s in range(99) if hidden_of(block(queries), s)[0])
    held = hold_out(collection, block(queries), seed)
    for taken in (0, 1):
        chosen = held.pairs.doc_ix == taken
        assert held.leaked(chosen) == held.false_negatives(chosen) == held.hidden == 1
    assert held.leaked(held.pairs.doc_ix == 3) == held.false_negatives(held.pairs.doc_ix == 3) == 0


def test_two_hidden_positives_of_one_text_leak_together_in_one_negative() -> None:
    held = HeldOut(block([{0: (False, 1)}]), np.array([0]), np.array([2]), 2)
    assert (held.leaked(np.array([True])), held.false_negatives(np.array([True]))) == (2, 1)


@given(queries=BLOCK, seed=st.integers(0, 99), cut=st.integers(0, 6))
def test_calibration_leaves_the_hidden_out(
    tmp_path_factory: pytest.TempPathFactory,
    queries: list[dict[int, Row]],
    seed: int,
    cut: int,
) -> None:
    pairs = replace(pairs := block(queries), judge=pairs.doc_ix.astype(np.float32))
    judged, left = (Dataset(str(tmp_path_factory.mktemp("judged"))) for _ in range(2))
    for name, dataset in (("all", judged), ("left", left)):
        rows = np.ones(len(pairs.query), dtype=bool) if name == "all" else ~hidden_of(pairs, seed)
        _write(dataset, pairs, rows, min(cut, len(queries)))
    everything, known = calibrations(judged, seed)
    for found, expected in ((everything, judged), (known, left)):
        wanted = read_calibration(expected, judged=True)
        assert found.scores.tobytes() == wanted.scores.tobytes()
        assert found.weights.tobytes() == wanted.weights.tobytes()


def _write(dataset: Dataset, pairs: Pairs, rows: np.ndarray, cut: int) -> None:
    """The columns that calibration reads, in two parts."""
    table = pa.table(
        {
            "query_ix": pairs.query,
            "is_positive": pairs.is_positive,
            "judge_score": pairs.judge,
            "pair_key": pairs.pair_key,
        }
    )
    for low, high in ((0, cut), (cut, pairs.queries)):
        if low < high:
            part = table.filter(pa.array(rows & (pairs.query >= low) & (pairs.query < high)))
            write_part(dataset.path, Block(low, high).part, part, part.schema)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(
    hits: int, trials: int, low: float, high: float
) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_knows_nothing_without_trials() -> None:
    assert np.isnan(wilson(0, 0)).all()

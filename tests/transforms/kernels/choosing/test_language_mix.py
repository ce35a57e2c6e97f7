"""Language mix: quotas parted by language, and places of translations."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.config import Config, Tier
from negmine.transforms.kernels.choosing.language_mix import (
    Mix,
    Quotas,
    quotas_of,
    translation_places,
)
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.tiers import choose, served_positive
from negmine.transforms.kernels.languages import Languages, numbered
from tests.transforms.kernels.pairs import distinct_documents, pairs_of, selection_of

HALF: Mix = (("other", 0.5), ("same", 0.5))


def collection(queries: list[str | None], documents: list[list[str | None]]) -> Any:
    """Pairs of each query with its own documents, the first a positive; and their languages."""
    rows = [
        {"query": query, "is_positive": not place, "dense": 1.0 if not place else 0.9}
        for query, own in enumerate(documents)
        for place in range(len(own))
    ]
    flat = [code for own in documents for code in own]
    return pairs_of(rows), Languages(numbered(flat), numbered(queries))


def parted(pairs: Pairs, languages: Languages, mix: Mix, quota: int) -> np.ndarray:
    quotas = quotas_of(pairs, served_positive(pairs), 0, mix, languages)
    return quotas.of(quota, 0)


@given(
    quota=st.integers(0, 20),
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    number=st.integers(0, 3),
)
def test_parts_are_whole_add_up_and_are_right_in_the_mean(
    quota: int, weights: list[int], number: int
) -> None:
    shares = np.tile(np.array(weights) / sum(weights), (4000, 1))
    draw = (np.arange(4000) + 0.5) / 4000
    found = Quotas(np.empty(0, dtype=np.int64), shares, draw).of(quota, number)
    assert (found.sum(axis=1) == quota).all() and (found >= 0).all()
    assert (np.abs(found - quota * shares) < 1 + 1e-6).all()
    assert found.mean(axis=0) == pytest.approx(quota * shares[0], abs=0.08)


def test_same_and_other_are_seen_from_the_query() -> None:
    pairs, languages = collection(["de", "en"], [["de", "en", "de", None], ["de", "en", "de"]])
    quotas = quotas_of(pairs, served_positive(pairs), 0, HALF, languages)
    other, same = 1, 0
    assert quotas.group.tolist() == [same, other, same, -1, other, same, other]


def test_a_query_without_a_language_has_no_mix() -> None:
    pairs, languages = collection([None], [["de", "en", None]])
    assert parted(pairs, languages, HALF, 4).tolist() == [[4, 0]]
    assert quotas_of(pairs, served_positive(pairs), 0, HALF, languages).group.tolist() == [0, 0, 0]


def test_negatives_have_the_languages_of_the_positives() -> None:
    pairs, languages = collection(["en", "en"], [["de", "en", "de"], ["fr", "en", "fr"]])
    quotas = quotas_of(pairs, served_positive(pairs), 0, "positives", languages)
    german, french = quotas.group[0], quotas.group[3]
    assert quotas.group.tolist() == [german, -1, german, french, -1, french]
    parts = quotas.of(3, 0)
    assert (parts[0, german], parts[1, french]) == (3, 3)


def test_as_the_corpus_counts_its_documents() -> None:
    pairs, languages = collection(["en"], [["de", "en", "de", "de"]])
    found = quotas_of(pairs, served_positive(pairs), 0, "corpus", languages)
    assert sorted(found.shares[0].tolist()) == [0.25, 0.75]


def test_a_language_that_is_not_known_is_no_share() -> None:
    pairs, languages = collection(["en", "en"], [[None, "en", None], ["fr", None, "fr", "de"]])
    corpus = quotas_of(pairs, served_positive(pairs), 0, "corpus", languages)
    assert sorted(corpus.shares[0].tolist()) == [0.25, 0.25, 0.5]
    assert [at for at, group in enumerate(corpus.group) if group == -1] == [0, 2, 4]
    of_positives = quotas_of(pairs, served_positive(pairs), 0, "positives", languages)
    assert of_positives.group.tolist() == [0, 0, 0, 0, -1, 0, -1], "the first query has no mix"
    assert of_positives.shares.tolist() == [[1.0], [1.0]]


def test_what_a_language_has_not_stays_short_and_no_other_takes_its_place() -> None:
    pairs, languages = collection(["en"], [["en", "en", "en", "en", "en", "de"]])
    documents = replace(distinct_documents(6), languages=languages)
    selection = replace(
        selection_of({"hard": Tier(quota=4, min_ratio=0.5)}),
        language_mix=(("other", 0.5), ("same", 0.5)),
    )
    choice = choose(pairs, ~pairs.is_positive, selection, documents)
    chosen = [languages.documents[i] for i in np.flatnonzero(choice.tier >= 0)]
    assert sorted(chosen) == sorted(numbered(["en", "en", "de"]).tolist())


def test_a_mix_without_languages_is_refused() -> None:
    pairs, _ = collection(["en"], [["en", "de"]])
    with pytest.raises(ValueError, match="needs languages"):
        quotas_of(pairs, served_positive(pairs), 0, HALF, None)


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ({"same": 0.5}, "add up to 0.5"),
        ({"same": 0.5, "de": 0.5}, "not of both"),
        ({"german": 1.0}, "neither same, other nor a language code"),
        ({False: 0.5, "en": 0.5}, "quote the code of Norwegian: 'no'"),
        ({"de": -1, "en": 2}, "share of de is -1; give a number from 0 to 1"),
        ({"de": "half", "en": 0.5}, "share of de is 'half'; give a number"),
        ("corups", "neither corpus, positives nor shares"),
    ],
)
def test_a_mix_that_cannot_be_is_told_so(mix: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as told:
        Config.model_validate({"input": {"format": "stdlib"}, "language_mix": mix})
    assert "1 validation error" in str(told.value), "said once"


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from([0, 1, 2, 3]), st.booleans(), st.integers(0, 4)
        ),
        max_size=25,
    )
)
def test_places_of_translations_are_by_cosine_in_each_language(
    rows: list[tuple[int, int, bool, int]],
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    query, own, positive, cosine = (np.array([row[i] for row in rows]) for i in range(4))
    doc = np.arange(len(rows))
    found = translation_places(
        query.astype(np.int64), doc, own.astype(np.int32), positive.astype(bool), cosine
    )
    for at, (q, language, _, value) in enumerate(rows):
        taken = {r[1] for r in rows if r[0] == q and r[2]}
        expected = 0
        if language and language not in taken:
            rivals = [(-r[3], i) for i, r in enumerate(rows) if r[:2] == (q, language)]
            expected = sorted(rivals).index((-value, at)) + 1
        assert found[at] == expected

"""Languages alone as a classifier."""

import numpy as np
import pytest

from negmine.transforms.kernels.measures.language import language_auc


def test_it_is_certain_where_negatives_are_all_of_another_language() -> None:
    positive = np.arange(400) % 5 == 0
    assert language_auc(positive.astype(np.int64), positive, np.arange(400) % 2) == 1.0


def test_it_is_a_guess_where_languages_are_drawn_alike() -> None:
    random = np.random.default_rng(0)
    pair, positive = random.integers(0, 121, 20_000), random.random(20_000) < 0.2
    assert language_auc(pair, positive, random.integers(0, 2, 20_000)) == pytest.approx(
        0.5, abs=0.02
    )


def test_without_a_negative_there_is_none() -> None:
    assert np.isnan(language_auc(np.zeros(3, np.int64), np.ones(3, bool), np.arange(3) % 2))

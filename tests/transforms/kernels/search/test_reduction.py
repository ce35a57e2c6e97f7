"""First pass in fewer dimensions: what is kept, deterministic bits, the rescored result."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from negmine.transforms.kernels.search.ann import recall
from negmine.transforms.kernels.search.dense import exact_top_k, pair_scores
from negmine.transforms.kernels.search.reduction import Reduced, Reduction
from tests.transforms.kernels.search.test_ann import DIMENSION, DOCUMENTS, QUERIES

KINDS = ["prefix", "pca", "whitening"]


def test_a_prefix_is_the_first_dimensions_at_length_1():
    reduced = Reduction.fit("prefix", 4, DOCUMENTS).documents(DOCUMENTS)
    cut = DOCUMENTS[:, :4]
    assert np.allclose(reduced, cut / np.linalg.norm(cut, axis=1, keepdims=True), atol=1e-6)


def test_principal_components_keep_inner_products_as_well_as_any_projection_can():
    reduction = Reduction.fit("pca", 6, DOCUMENTS)
    assert np.allclose(reduction.matrix @ reduction.matrix.T, np.eye(6), atol=1e-5)
    kept = float((reduction.documents(DOCUMENTS) ** 2).sum())
    singular = np.linalg.svd(DOCUMENTS.astype(np.float64), compute_uv=False)
    assert kept == pytest.approx((singular[:6] ** 2).sum(), rel=1e-5)


def test_whitened_components_are_uncorrelated_with_equal_variance():
    reduction = Reduction.fit("whitening", 6, DOCUMENTS)
    centred = (DOCUMENTS - reduction.mean) @ reduction.matrix.T
    assert np.allclose(np.cov(centred.T), np.eye(6), atol=1e-2)
    assert np.allclose(np.linalg.norm(reduction.documents(DOCUMENTS), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_is_reduced_to_the_same_bits_in_any_block(kind):
    reduction = Reduction.fit(kind, 6, DOCUMENTS)
    whole = reduction.queries(QUERIES)
    assert np.allclose(whole, reduction.documents(QUERIES), atol=1e-5)
    for size in (1, 7, 64):
        cuts = [QUERIES[at : at + size] for at in range(0, len(QUERIES), size)]
        assert np.concatenate([reduction.queries(c) for c in cuts]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_and_reducing_have_the_same_bits_for_any_number_of_threads(kind):
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            reduction = Reduction.fit(kind, 6, DOCUMENTS)
            found.append(reduction.matrix.tobytes() + reduction.documents(DOCUMENTS).tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_scored_in_full_and_more_over_fetch_finds_more(kind):
    exact = exact_top_k(QUERIES, DOCUMENTS, 10)
    reduction = Reduction.fit(kind, 3, DOCUMENTS)
    reduced = Reduced.of(reduction.documents(DOCUMENTS))
    found = [
        reduced.find(reduction, QUERIES, DOCUMENTS, 10, over_fetch) for over_fetch in (1, 8, 300)
    ]
    shares = [recall(some.ids, exact.ids).mean() for some in found]
    assert shares[0] < shares[1] < shares[2] == 1.0
    expected = pair_scores(QUERIES[:, None, :], DOCUMENTS[found[0].ids])
    assert found[0].scores.tobytes() == expected.tobytes()
    assert found[2].scores.tobytes() == exact.scores.tobytes()
    default = reduced.find(reduction, QUERIES, DOCUMENTS, 10, None)
    assert default.ids.tolist() == reduced.find(reduction, QUERIES, DOCUMENTS, 10, 4).ids.tolist()


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match=f"have {DIMENSION}"):
        Reduction.fit("pca", DIMENSION, DOCUMENTS)
    flat = DOCUMENTS.copy()
    flat[:, 5:] = 0
    with pytest.raises(ValueError, match="fewer than 6"):
        Reduction.fit("whitening", 6, flat)

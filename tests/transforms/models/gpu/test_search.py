"""Search on a device: proposals in pieces, from which the exact kernel makes the same result."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.search.dense import exact_top_k
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.models.gpu import nearest, search
from negmine.transforms.models.gpu.nearest import nearest_here


def vectors(rows: int, seed: int, copies: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((-(-rows // copies), 8), dtype=np.float32)
    return np.ascontiguousarray(np.repeat(drawn, copies, axis=0)[:rows])


def on_the_cpu(queries: np.ndarray, documents: np.ndarray, fetch: int) -> TopK:
    return TopK(*search.nearest(queries, documents, fetch, device="cpu", most_bytes=2048))


@settings(max_examples=60, deadline=None)
@given(
    queries=st.integers(1, 9),
    documents=st.integers(1, 700),
    k=st.integers(1, 40),
    copies=st.integers(1, 30),
)
def test_the_result_is_that_of_faiss(queries: int, documents: int, k: int, copies: int) -> None:
    asked, given_ = vectors(queries, 1), vectors(documents, 2, copies)
    found = exact_top_k(asked, given_, k, nearest=on_the_cpu)
    expected = exact_top_k(asked, given_, k)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.scores, expected.scores)


def test_memory_that_runs_out_halves_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, multiply = [], search._nearest

    def limited(*given_: object) -> object:
        tried.append(given_[-1])
        if given_[-1] > 1 << 22:  # type: ignore[operator]
            raise torch.OutOfMemoryError("CUDA out of memory")
        return multiply(*given_)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "_nearest", limited)
    scores, ids = search.nearest(vectors(3, 1), vectors(90, 2), 5, device="cpu")
    assert tried[0] == 1 << 30 and tried[-1] == 1 << 22
    assert scores.shape == ids.shape == (3, 5)


def test_without_a_device_the_processors_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "_LEAST", 1)
    monkeypatch.setattr(nearest, "available", lambda: False)
    found = nearest_here(vectors(3, 1), vectors(90, 2), 5)
    assert np.array_equal(found.ids[:, 0], exact_top_k(vectors(3, 1), vectors(90, 2), 1).ids[:, 0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_documents_that_cannot_change_stay_there_while_they_live() -> None:
    documents, asked = vectors(5000, 1), vectors(50, 2)
    documents.flags.writeable = False
    for _ in range(2):
        found = exact_top_k(asked, documents, 20, nearest=nearest_here)
    assert np.array_equal(found.ids, exact_top_k(asked, documents, 20).ids)
    search.nearest(asked, documents, 20)
    assert len(search._kept) == 1
    del documents
    assert not search._kept

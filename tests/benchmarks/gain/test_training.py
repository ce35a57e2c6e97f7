"""Training: against torch and sentence-transformers, and what pairs the sets."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from benchmarks.gain.collection import Collection
from benchmarks.gain.losses import LOSSES, SCALE, Batch, hardness, mnrl
from benchmarks.gain.students import StaticStudent
from benchmarks.gain.training import Packed, Settings, evaluate, train
from tests.jobs.collections import WORDS, static_student

DOCUMENTS = {f"d{i}": f"{WORDS[i % 20]} {WORDS[(3 * i + 1) % 20]} {i}" for i in range(40)}
QUERIES = {f"q{i}": f"{WORDS[i % 20]} {WORDS[(i + 5) % 20]}" for i in range(16)}
KNOWN = {f"q{i}": frozenset({f"d{i}"}) for i in range(16)}
FEW = Settings(per_step=2, batch=4, epochs=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(static_student(tmp_path_factory.mktemp("student")))


@pytest.fixture(scope="module")
def packed(folder: Path) -> Packed:
    collection = Collection("tiny", DOCUMENTS, QUERIES, KNOWN, KNOWN, 4, ("", ""))
    return Packed(collection, StaticStudent(folder, rate=0.05))


def batch(cosine: torch.Tensor, teacher: float = math.nan) -> Batch:
    rows, columns = cosine.shape
    owner = torch.arange(columns) % rows
    return Batch(cosine, torch.zeros(rows, columns, dtype=torch.bool), owner,
                 torch.full((columns,), teacher), torch.ones(columns))  # fmt: skip


def test_the_static_student_embeds_as_sentence_transformers_does(
    folder: Path, packed: Packed
) -> None:
    packed.student.begin(0)
    texts = list(DOCUMENTS.values())
    theirs = SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(packed.student.vectors(packed.documents).numpy(), theirs, atol=1e-6)


def test_its_gradient_is_that_of_a_dense_table(packed: Packed) -> None:
    student = packed.student
    assert isinstance(student, StaticStudent)
    student.begin(0)
    rows, columns = np.array([0, 1, 2]), np.array([0, 1, 2, 7, 8])
    loss = mnrl(batch(student.cosines(packed.queries, rows, packed.documents, columns)))
    (ours,) = torch.autograd.grad(loss, student.part)
    table = torch.from_numpy(student.start.copy()).requires_grad_()
    bags = [torch.from_numpy(t.bags[r].toarray()) for t, r in
            ((packed.queries, rows), (packed.documents, columns))]  # fmt: skip
    left, right = (torch.nn.functional.normalize(b @ table[: b.shape[1]], dim=1) for b in bags)
    (theirs,) = torch.autograd.grad(mnrl(batch(left @ right.T)), table)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy()[student.touched], atol=1e-5)


def test_mnrl_is_the_cross_entropy_of_sentence_transformers() -> None:
    cosine = torch.rand(3, 6, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.CrossEntropyLoss()(cosine * SCALE, torch.arange(3))
    assert mnrl(batch(cosine)).item() == pytest.approx(expected.item())


def test_hardness_weighs_mined_negatives_of_the_row_alone() -> None:
    cosine = torch.full((2, 4), 0.5)
    own = cosine * SCALE
    own[0, 2] += 2.5
    own[1, 3] += 2.5
    expected = torch.nn.functional.cross_entropy(own, torch.arange(2))
    assert hardness(batch(cosine)).item() == pytest.approx(expected.item())


def test_a_weight_is_a_factor_of_the_negatives_term_in_the_sum() -> None:
    cosine = torch.full((2, 4), 0.5)
    cosine[0, 2] = 0.7
    weighted = replace(batch(cosine), weight=torch.tensor([1.0, 1.0, 2.0, 1.0]))
    terms = torch.exp(cosine * SCALE)
    terms[0, 2] *= 2  # column 2 was mined for row 0, and counts 2 there alone
    expected = -torch.log(terms.diagonal() / terms.sum(dim=1)).mean()
    assert mnrl(weighted).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["margin-mse", "kl"])
def test_a_teacher_that_agrees_adds_nothing_and_without_one_it_is_mnrl(name: str) -> None:
    cosine = torch.full((2, 4), 0.5)
    assert LOSSES[name](batch(cosine)).item() == mnrl(batch(cosine)).item()
    agreed = LOSSES[name](batch(cosine, teacher=0.3))
    assert agreed.item() == pytest.approx(mnrl(batch(cosine)).item(), abs=1e-6)


def test_training_raises_ndcg_on_what_it_was_trained_with(packed: Packed) -> None:
    everything = Collection("tiny", DOCUMENTS, QUERIES, KNOWN, KNOWN, 0, ("", ""))
    whole = Packed(everything, packed.student)
    before = train(whole, None, {}, FEW, 0, 0)
    after = train(whole, {}, {}, Settings(per_step=2, batch=4, epochs=10), 0, 0)
    assert np.mean(list(after.values())) > np.mean(list(before.values()))


def test_the_same_job_gives_the_same_student_and_another_seed_another(packed: Packed) -> None:
    negatives = {q: [f"d{20 + (i + n) % 20}" for n in range(6)] for i, q in enumerate(QUERIES)}
    tables = []
    for seed in (0, 0, 1):
        train(packed, negatives, {}, FEW, seed, 1)
        assert isinstance(packed.student, StaticStudent)
        tables.append(packed.student.table.copy())
    np.testing.assert_array_equal(tables[0], tables[1])
    assert np.abs(tables[0] - tables[2]).max() > 1e-4


def test_fewer_pairs_than_a_batch_are_refused_and_not_left_untrained(packed: Packed) -> None:
    with pytest.raises(SystemExit, match="pairs make no batch of 64; give a smaller one"):
        train(packed, {}, {}, Settings(per_step=2, batch=64, epochs=1), 0, 0)


def test_queries_held_out_are_those_evaluated_and_not_trained_on(packed: Packed) -> None:
    collection = packed.collection
    held = [set(collection.divide(fold)[1]) for fold in range(4)]
    assert set.union(*held) == set(QUERIES) and sum(map(len, held)) == len(QUERIES)
    for fold in range(4):
        pairs, queries = collection.divide(fold)
        assert not {query for query, _ in pairs} & set(queries)


def test_ndcg_is_that_of_a_loop(packed: Packed) -> None:
    packed.student.begin(0)
    found = evaluate(packed, sorted(QUERIES))
    documents = packed.student.vectors(packed.documents).numpy()
    queries = packed.student.vectors(packed.queries).numpy()
    for query, value in found.items():
        scores = documents @ queries[packed.query_row[query]]
        top = np.argsort(-scores, kind="stable")[:10].tolist()
        relevant = packed.document_row[f"d{query[1:]}"]
        expected = 1 / math.log2(top.index(relevant) + 2) if relevant in top else 0.0
        assert value == pytest.approx(expected, abs=1e-6)

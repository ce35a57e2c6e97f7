"""Encoders and cross-encoders as GPUs run them: the same bits as without, in any company.

On the CPU, with small shapes: everything but pinned memory and graphs is the same there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from negmine.schemas.errors import ModelError
from negmine.transforms.models.cross_encoder import CrossEncoderJudge
from negmine.transforms.models.encoder import SentenceTransformerEncoder
from negmine.transforms.models.gpu import tokens
from negmine.transforms.models.gpu.buckets import Padding
from negmine.transforms.models.gpu.encoder import GpuEncoder
from negmine.transforms.models.gpu.tokens import Tokeniser, UnusualFeatures, without_padding
from negmine.transforms.models.specs import CrossEncoderSpec, EncoderSpec
from negmine.transforms.models.weights import find_weights
from tests.jobs.collections import cross_encoder

TEXTS = [
    *[f"{number} wings in a slipstream of {'heat ' * (number % 23)}" for number in range(40)],
    "",
    "naïve 東京 flow " * 30,
    "the boundary layer over a flat plate " * 60,
]
BUDGET = 512


def encoder(replicas: int, **settings: str) -> SentenceTransformerEncoder:
    made = plain(**settings)
    padding = Padding(made._pad, made._left, made.model.max_seq_length)
    made._gpu = GpuEncoder([made.model] * replicas, padding, made._token_bits, BUDGET)
    return made


def plain(**settings: str) -> SentenceTransformerEncoder:
    folder = find_weights("all-MiniLM-L6-v2").folder
    return SentenceTransformerEncoder(EncoderSpec(folder, device="cpu", **settings))


@pytest.mark.parametrize(
    ("replicas", "precision"),
    [(1, "fp32"), (2, "fp32"), (1, "bf16"), pytest.param(2, "bf16", marks=pytest.mark.long)],
)
def test_vectors_and_token_vectors_are_those_of_the_cpu(replicas: int, precision: str) -> None:
    expected = plain(precision=precision).encode(TEXTS, "document", tokens=True)
    found = encoder(replicas, precision=precision).encode(TEXTS, "document", tokens=True)
    np.testing.assert_allclose(
        found.vectors, expected.vectors, atol=1e-6 if precision == "fp32" else 0.02
    )
    assert found.token_vectors is not None and expected.token_vectors is not None
    for one, other in zip(found.token_vectors, expected.token_vectors, strict=True):
        assert one.shape == other.shape and one.dtype == np.uint16


def test_a_text_has_the_same_bits_in_any_company() -> None:
    made = encoder(1)
    whole = made.encode(TEXTS, "query").vectors
    order = np.random.default_rng(0).permutation(len(TEXTS))
    for part in np.array_split(order, 3):
        assert np.array_equal(made.encode([TEXTS[i] for i in part], "query").vectors, whole[part])


def test_prompts_come_before_every_text() -> None:
    found = encoder(1, document_prompt="passage: ").encode(TEXTS, "document").vectors
    expected = plain(document_prompt="passage: ").encode(TEXTS, "document").vectors
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not np.allclose(found, plain().encode(TEXTS, "document").vectors, atol=1e-3)


def test_memory_that_runs_out_halves_the_batch_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    made, rows = encoder(1), []
    expected = made.encode(TEXTS, "document").vectors
    forward = made.model.forward

    def limited(features: dict[str, torch.Tensor], **more: object) -> object:
        rows.append(len(features["input_ids"]))
        if rows[-1] > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(features, **more)

    monkeypatch.setattr(made.model, "forward", limited)
    np.testing.assert_allclose(made.encode(TEXTS, "document").vectors, expected, atol=1e-6)
    assert max(rows) > 4
    rows.clear()
    made.encode(TEXTS, "document")
    assert max(rows) <= 4


def test_one_text_that_does_not_fit_is_an_error_with_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = encoder(1)

    def full(*_: object, **__: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(made.model, "forward", full)
    with pytest.raises(ModelError, match=r"lower student\.max_length"):
        made.encode(TEXTS[:3], "document")


def test_features_of_another_kind_take_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = encoder(1)
    expected = made.encode(TEXTS[:9], "document").vectors

    def refuse(*_: object, **__: object) -> object:
        raise UnusualFeatures

    monkeypatch.setattr(tokens, "without_padding", refuse)
    np.testing.assert_allclose(made.encode(TEXTS[:9], "document").vectors, expected, atol=1e-6)
    assert made._gpu is None


def test_a_tokeniser_that_differs_from_the_models_own_is_not_used() -> None:
    """As where a model changes its texts before they are tokenised."""
    model = plain().model

    def preprocess(texts: list) -> dict:
        return dict(model.preprocess([text[::-1] for text in texts]))

    tokenise = Tokeniser(model.tokenizer, preprocess).sampled(TEXTS, "")
    expected = without_padding(preprocess(TEXTS), paired=False)
    assert np.array_equal(tokenise(list(TEXTS)).ids, expected.ids)


def test_text_that_is_not_unicode_goes_through_the_models_own_tokeniser() -> None:
    texts: Sequence[str] = ["a wing", "heat", "flow"]
    model = plain().model

    def preprocess(some: list) -> dict:
        return dict(model.preprocess([text.encode(errors="ignore").decode() for text in some]))

    tokenise = Tokeniser(model.tokenizer, preprocess).sampled(texts, "")
    assert len(tokenise(["a \ud800 wing"]).offsets) == 2


@pytest.mark.parametrize(
    "features",
    [
        {"input_ids": torch.ones(2, 3)},
        {"input_ids": torch.ones(2, 3), "attention_mask": torch.ones(2, 4)},
        {"input_ids": torch.ones(1, 3), "attention_mask": torch.tensor([[1, 0, 1]])},
        {"pixel_values": torch.ones(1, 3), "attention_mask": torch.ones(1, 3)},
    ],
)
def test_features_that_are_not_texts_with_padding_are_refused(features: dict) -> None:
    with pytest.raises(UnusualFeatures):
        without_padding(features, paired=False)


PAIRS = [(f"query {number}", "a wing " * (number % 40)) for number in range(50)] + [("", "")]


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_pairs_score_is_that_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replicas: int
) -> None:
    spec = CrossEncoderSpec(str(cross_encoder(tmp_path / "judge")), device="cpu")
    expected = CrossEncoderJudge(spec).score(PAIRS)
    where = "negmine.transforms.models.cross_encoder.devices"
    monkeypatch.setattr(where, lambda _: ["cpu"] * replicas)
    judge = CrossEncoderJudge(spec)
    assert judge._gpu is not None
    judge._gpu.budget = BUDGET
    np.testing.assert_allclose(judge.score(PAIRS), expected, atol=1e-6)
    order = np.random.default_rng(0).permutation(len(PAIRS))[:20]
    whole = judge.score(PAIRS)
    assert np.array_equal(judge.score([PAIRS[i] for i in order]), whole[order])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu_a_text_has_the_same_bits_in_any_company(precision: str) -> None:
    folder = find_weights("all-MiniLM-L6-v2").folder
    made = SentenceTransformerEncoder(EncoderSpec(folder, device="cuda", precision=precision))
    whole = made.encode(TEXTS * 30, "document").vectors
    again = made.encode(TEXTS, "document").vectors
    assert np.array_equal(whole[: len(TEXTS)], again)
    exact = plain().encode(TEXTS, "document").vectors
    assert ((exact * again).sum(axis=1) > 0.995).all()

"""The cross-encoder: the library's scores, the same bits in any company, and clear refusals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import CrossEncoder

from negmine.schemas.errors import ModelError
from negmine.transforms.models.batching import LENGTH_STEP, batches
from negmine.transforms.models.cross_encoder import CrossEncoderJudge
from negmine.transforms.models.specs import CrossEncoderSpec
from tests.jobs.collections import WORDS, cross_encoder

Pairs = list[tuple[str, str]]


def words(count: int, seed: int) -> str:
    return " ".join(WORDS[(seed * 7 + at * (seed % 5 + 1)) % len(WORDS)] for at in range(count))


PAIRS: Pairs = [
    *[(words(1 + at % 9, at), words(at * 3 % 71, at + 1)) for at in range(61)],
    ("", ""),
    ("sola", ""),
    ("naïve 東京 " * 9, "\n\t"),
]


def wide(folder: Path) -> Path:
    """As the tiny cross-encoder, of the width of MiniLM, where BLAS has more kernels to choose."""
    from transformers import BertConfig, BertForSequenceClassification

    cross_encoder(folder)
    config = BertConfig.from_pretrained(folder)
    config.update({"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12})
    config.update({"initializer_range": 0.1, "num_hidden_layers": 1})
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def half(folder: Path) -> Path:
    """As the tiny cross-encoder, stored in float16."""
    from transformers import BertForSequenceClassification

    cross_encoder(folder)
    BertForSequenceClassification.from_pretrained(folder).half().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cross_encoders")


@pytest.fixture(scope="module")
def tiny(base: Path) -> CrossEncoderSpec:
    return CrossEncoderSpec(str(cross_encoder(base / "tiny")), device="cpu")


@pytest.mark.parametrize("max_length", [None, 20])
@pytest.mark.parametrize("build", [cross_encoder, wide])
def test_scores_equal_the_librarys_own(
    tmp_path: Path, build: Callable[[Path], Path], max_length: int | None
) -> None:
    folder = str(build(tmp_path / "model"))
    library = CrossEncoder(folder, device="cpu", max_length=max_length)
    expected = library.predict(PAIRS, activation_fn=torch.nn.Sigmoid())
    found = CrossEncoderJudge(CrossEncoderSpec(folder, max_length, "cpu")).score(PAIRS)
    assert found.dtype == np.float32
    assert found.std() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("max_length", [None, 20])
@pytest.mark.parametrize("build", [cross_encoder, wide])
def test_a_pair_has_the_same_bits_in_any_company(
    tmp_path: Path, build: Callable[[Path], Path], max_length: int | None
) -> None:
    spec = CrossEncoderSpec(str(build(tmp_path / "model")), max_length, "cpu")
    judge = CrossEncoderJudge(spec)
    together = judge.score(PAIRS)
    alone = np.concatenate([judge.score([pair]) for pair in PAIRS])
    assert np.array_equal(alone, together)
    for size in (2, 3, 13, len(PAIRS)):
        rows = np.random.default_rng(size).permutation(len(PAIRS))[:size]
        assert np.array_equal(judge.score([PAIRS[row] for row in rows]), together[rows])
    assert np.array_equal(judge.score(PAIRS * 2), np.tile(together, 2))


def test_no_pairs_have_no_scores(tiny: CrossEncoderSpec) -> None:
    assert CrossEncoderJudge(tiny).score([]).shape == (0,)


def test_weights_stored_in_half_precision_run_in_single(tmp_path: Path) -> None:
    judge = CrossEncoderJudge(CrossEncoderSpec(str(half(tmp_path / "half")), device="cpu"))
    assert {parameter.dtype for parameter in judge.model.parameters()} == {torch.float32}


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 80), max_size=60),
    budget=st.integers(1, 400),
    limit=st.sampled_from([None, 80, 87, 512, int(1e30)]),
)
def test_batches_pad_a_row_by_its_own_length_alone(
    lengths: list[int], budget: int, limit: int | None
) -> None:
    found = list(batches(np.array(lengths, dtype=np.int64), budget, limit))
    assert sorted(row for rows, _ in found for row in rows) == list(range(len(lengths)))
    widths = [width for _, width in found]
    assert widths == sorted(widths, reverse=True)
    for rows, width in found:
        assert len(rows) == 1 or len(rows) * width <= budget
        assert len({lengths[row] == width for row in rows}) == 1
        for row in rows:
            assert width == -(-max(lengths[row], 1) // LENGTH_STEP) * LENGTH_STEP


def test_a_row_is_not_padded_past_what_the_model_takes() -> None:
    assert [width for _, width in batches(np.array([50, 60]), 10**6, 60)] == [60, 60]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"labels": 3}, "3 labels; a judge needs one"), ({"broken": True}, "64 of 64 scores")],
)
def test_a_model_that_cannot_be_a_judge_is_refused(
    tmp_path: Path, options: dict[str, int], message: str
) -> None:
    folder = cross_encoder(tmp_path / "model", **options)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=message):
        CrossEncoderJudge(CrossEncoderSpec(str(folder), device="cpu")).score(PAIRS)


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"cross-encoder in {tmp_path} cannot be loaded"):
        CrossEncoderJudge(CrossEncoderSpec(str(tmp_path), device="cpu"))

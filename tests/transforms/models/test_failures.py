"""What fails inside a model is one sentence: which model, which setting, what to do."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer

from negmine.schemas.errors import ConfigError, ModelError
from negmine.transforms.models.cross_encoder import CrossEncoderJudge
from negmine.transforms.models.encoder import SentenceTransformerEncoder
from negmine.transforms.models.failures import inside_model
from negmine.transforms.models.limits import most_tokens
from negmine.transforms.models.specs import CrossEncoderSpec, EncoderSpec
from tests.jobs.collections import WORDS, cross_encoder
from tests.transforms.models import broken

LONG = " ".join(WORDS * 30)
PAIRS = [("sola ter", LONG), ("sola", "."), ("sola ter", "aqua venor luna")]


def judge(folder: Path, **options: object) -> CrossEncoderJudge:
    return CrossEncoderJudge(CrossEncoderSpec(str(folder), device="cpu", **options))  # type: ignore[arg-type]


def encode(folder: Path, **options: object) -> np.ndarray:
    spec = EncoderSpec(str(folder), device="cpu", **options)  # type: ignore[arg-type]
    return SentenceTransformerEncoder(spec).encode([LONG, "."], "document").vectors


def test_a_reranker_without_padding_token_is_refused_with_the_file_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^judge\.model: .*pad_token: '</s>'.*tokenizer_config"):
        judge(broken.decoder(tmp_path / "tokenizer"))
    with pytest.raises(ModelError, match=r"pad_token_id: 2 to its config\.json"):
        judge(broken.decoder(tmp_path / "config", pad="[PAD]"))


def test_the_same_reranker_with_it_scores_as_one_pair_at_a_time(tmp_path: Path) -> None:
    folder = broken.decoder(tmp_path / "whole", pad="[PAD]", pad_id=2)
    library = CrossEncoder(str(folder), device="cpu")
    alone = [library.predict([pair], activation_fn=torch.nn.Sigmoid())[0] for pair in PAIRS]
    np.testing.assert_allclose(judge(folder).score(PAIRS), alone, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "positions"),
    [(cross_encoder, 64), (broken.roberta, 63), (broken.encoder, 64)],
)
def test_a_length_beyond_the_positions_is_refused_with_the_limit(
    tmp_path: Path, build: Callable[[Path], Path], positions: int
) -> None:
    folder = build(tmp_path / "model")
    run = encode if build is broken.encoder else judge
    section = "student" if build is broken.encoder else "judge"
    with pytest.raises(ConfigError, match=rf"{section}\.max_length {positions + 1} .* {positions}"):
        run(folder, max_length=positions + 1)
    run(folder, max_length=positions)


def test_a_models_own_limit_beyond_its_positions_is_cut_to_them(tmp_path: Path) -> None:
    """RoBERTa has 66 rows of positions and begins with the third: 64 tokens fail in the library."""
    folder = broken.roberta(tmp_path / "model")
    with pytest.raises((IndexError, RuntimeError)):
        CrossEncoder(str(folder), device="cpu").predict(PAIRS)
    assert np.isfinite(judge(folder).score(PAIRS)).all()


def test_positions_are_read_from_the_config_before_a_model_is_loaded(tmp_path: Path) -> None:
    inner = tmp_path / "0_Transformer"
    inner.mkdir()
    assert most_tokens(tmp_path) is None
    (inner / "config.json").write_text(json.dumps({"max_position_embeddings": 512}))
    assert most_tokens(tmp_path) == 512
    roberta = {"max_position_embeddings": 514, "model_type": "xlm-roberta"}
    (tmp_path / "config.json").write_text(json.dumps(roberta))
    assert most_tokens(tmp_path) == 512
    (tmp_path / "config.json").write_text("[" * 9)
    assert most_tokens(tmp_path) == 512


def test_an_encoder_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lack classifier\.\w+, so it is an encoder"):
        judge(broken.encoder(tmp_path / "encoder"))


def test_a_tokenizer_of_another_model_is_one_sentence(tmp_path: Path) -> None:
    model = judge(broken.small_vocabulary(tmp_path / "small"))
    with pytest.raises(ModelError, match=r"judge\.model.*failed on 3 pairs \(IndexError") as told:
        model.score(PAIRS)
    assert "\n" not in str(told.value)
    assert "judge.kind: fusion" in str(told.value)


def test_a_device_that_is_not_here_names_the_setting(tmp_path: Path) -> None:
    folder = broken.encoder(tmp_path / "encoder")
    for device in ("gpu", "cuda:97"):
        with pytest.raises(ModelError, match=r"cannot be loaded \(.*set student\.device"):
            SentenceTransformerEncoder(EncoderSpec(str(folder), device=device))


def test_token_vectors_of_another_width_than_the_texts_are_refused(tmp_path: Path) -> None:
    """They would be cut into vectors of the wrong length without a word."""
    transformer = Transformer(str(broken.encoder(tmp_path / "bert")))
    parts = [transformer, Pooling(16, "mean"), Dense(16, 8)]
    SentenceTransformer(modules=parts, device="cpu").save_pretrained(str(tmp_path / "dense"))
    model = SentenceTransformerEncoder(EncoderSpec(str(tmp_path / "dense"), device="cpu"))
    assert model.encode(["sola"], "query").vectors.shape == (1, 8)
    with pytest.raises(ModelError, match="16 numbers a token and 8 a text"):
        model.encode(["sola ter"], "query", tokens=True)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_model_saved_in_half_precision_runs_in_the_one_that_is_set(
    tmp_path: Path, precision: str
) -> None:
    folder = broken.encoder(tmp_path / "half", dtype="float16")
    spec = EncoderSpec(str(folder), device="cpu", precision=precision)
    model = SentenceTransformerEncoder(spec)
    asked = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert {parameter.dtype for parameter in model.model.parameters()} == {asked}
    assert model.dtype == str(asked).removeprefix("torch.")


def test_half_precision_weights_give_the_vectors_of_their_single_precision_copy(
    tmp_path: Path,
) -> None:
    half = broken.encoder(tmp_path / "half", dtype="float16")
    library = SentenceTransformer(str(half), device="cpu", model_kwargs={"dtype": torch.float32})
    expected = library.encode([LONG, "."], normalize_embeddings=True)
    np.testing.assert_allclose(encode(half), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "max_length"),
        (MemoryError(), "free memory"),
        (ModuleNotFoundError("No module named 'einops'"), "install"),
        (ValueError("please pass trust_remote_code=True"), "judge.trust_remote_code"),
        (NotImplementedError("\"addmm\" not implemented for 'Half'"), "judge.device"),
        (RuntimeError("The expanded size of the tensor (600) must match"), "judge.max_length"),
        (KeyError("scores"), "another as judge.model"),
        (RuntimeError("first line\nsecond line"), "(RuntimeError: first line);"),
        (RuntimeError("x" * 5000), "another as judge.model"),
    ],
)
def test_each_kind_of_failure_says_what_to_do(error: Exception, advice: str) -> None:
    with (
        pytest.raises(ModelError) as told,
        inside_model(CrossEncoderSpec("FOLDER"), "cross-encoder", "failed"),
    ):
        raise error
    message = str(told.value)
    assert message.startswith("judge.model: the cross-encoder in FOLDER failed (")
    assert advice in message
    assert "\n" not in message and len(message) < 700


def test_what_is_told_already_and_an_interrupt_pass_as_they_are() -> None:
    for error in (ConfigError("told"), KeyboardInterrupt()):
        with (
            pytest.raises(type(error)) as found,
            inside_model(CrossEncoderSpec("FOLDER"), "cross-encoder", "failed"),
        ):
            raise error
        assert found.value is error

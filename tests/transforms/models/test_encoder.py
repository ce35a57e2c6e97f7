"""The encoder: the library's vectors, the same bits in any company, and clear refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Router, StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from negmine.schemas.errors import ModelError
from negmine.transforms.kernels.search.token_codes import from_bfloat16
from negmine.transforms.models.encoder import SentenceTransformerEncoder, load_encoder
from negmine.transforms.models.specs import EncoderSpec
from negmine.transforms.models.weights import find_weights, is_static

TEXTS = [
    "a wing in a slipstream",
    "the boundary layer over a flat plate at high speed " * 20,
    "heat",
    "an experimental study of a wing in a propeller slipstream was made " * 9,
    "",
]


def embedded(precision: str = "fp32") -> EncoderSpec:
    return EncoderSpec(find_weights("all-MiniLM-L6-v2").folder, precision=precision, device="cpu")


def test_vectors_equal_the_librarys_own() -> None:
    spec = embedded()
    expected = SentenceTransformer(spec.folder, device="cpu").encode(TEXTS)
    found = load_encoder(spec).encode(TEXTS, "document").vectors
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_text_has_the_same_bits_in_any_company(precision: str) -> None:
    encoder = load_encoder(embedded(precision))
    together = encoder.encode(TEXTS, "document", tokens=True)
    assert together.token_vectors is not None
    for number, text in enumerate(TEXTS):
        alone = encoder.encode([text], "document", tokens=True)
        assert alone.token_vectors is not None
        assert np.array_equal(alone.vectors[0], together.vectors[number])
        assert np.array_equal(alone.token_vectors[0], together.token_vectors[number])


def test_token_vectors_leave_special_tokens_out_and_have_length_one() -> None:
    encoder = load_encoder(embedded())
    (tokens,) = encoder.encode(["wing slipstream"], "query", tokens=True).token_vectors or []
    ids = encoder.model.tokenizer("wing slipstream", add_special_tokens=False)["input_ids"]  # type: ignore[attr-defined]
    assert tokens.shape == (len(ids), 384)
    np.testing.assert_allclose(np.linalg.norm(from_bfloat16(tokens), axis=1), 1.0, atol=1e-2)


def test_prompts_and_length_change_the_vectors() -> None:
    """Another miner's cache ignored prompts."""
    plain = load_encoder(embedded()).encode(TEXTS[:1], "query").vectors
    spec = embedded()
    prompted = EncoderSpec(spec.folder, query_prompt="query: ", device="cpu")
    assert not np.array_equal(load_encoder(prompted).encode(TEXTS[:1], "query").vectors, plain)
    short = EncoderSpec(spec.folder, max_length=4, device="cpu")
    assert not np.array_equal(load_encoder(short).encode(TEXTS[:1], "query").vectors, plain)


def test_a_models_own_prompts_are_used_unless_replaced_or_emptied(tmp_path: Path) -> None:
    folder = static_model(tmp_path / "static")
    model = SentenceTransformer(folder, device="cpu")
    model.prompts = {"query": "heat "}
    model.save_pretrained(folder)

    def query_vector(prompt: str | None) -> np.ndarray:
        spec = EncoderSpec(folder, query_prompt=prompt, device="cpu")
        return SentenceTransformerEncoder(spec).encode(["wing"], "query").vectors

    plain, own = query_vector(""), query_vector(None)
    assert not np.allclose(plain, own)
    assert np.array_equal(own, query_vector("heat "))


def static_model(folder: Path) -> str:
    vocabulary = {"[UNK]": 0, "wing": 1, "heat": 2, "layer": 3}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = torch.arange(4 * 6, dtype=torch.float32).reshape(4, 6) + 1
    module = StaticEmbedding(tokenizer, embedding_weights=weights.numpy())
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(folder))
    return str(folder)


def test_a_static_embedding_works_and_refuses_token_vectors(tmp_path: Path) -> None:
    folder = static_model(tmp_path / "static")
    assert is_static(find_weights(folder))
    encoder = SentenceTransformerEncoder(EncoderSpec(folder, device="cpu"))
    vectors = encoder.encode(["wing heat", "layer", "heat wing"], "document").vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-6)
    assert np.array_equal(vectors[0], vectors[2])
    with pytest.raises(ModelError, match="gives no token vectors"):
        encoder.encode(["wing"], "document", tokens=True)


@pytest.mark.parametrize("prompt", ["", "heat "])
def test_a_static_embedding_is_tokenised_as_sentence_transformers_does(
    tmp_path: Path, prompt: str
) -> None:
    folder = static_model(tmp_path / "static")
    texts = ["wing heat", "", "layer wing unheard", "https://wing.org/heat.png"] * 3
    spec = EncoderSpec(folder, document_prompt=prompt, device="cpu", normalize=False)
    found = SentenceTransformerEncoder(spec).encode(texts[:1] + texts, "document").vectors
    model = SentenceTransformer(folder, device="cpu")
    assert np.array_equal(found, model.encode(texts[:1] + texts, prompt=prompt or None))


def test_an_asymmetric_model_routes_queries_and_documents(tmp_path: Path) -> None:
    left = SentenceTransformer(static_model(tmp_path / "left"), device="cpu")[0]
    right = SentenceTransformer(static_model(tmp_path / "right"), device="cpu")[0]
    with torch.no_grad():
        right.embedding.weight.copy_(right.embedding.weight.flip(1))
    router = Router.for_query_document(query_modules=[left], document_modules=[right])
    SentenceTransformer(modules=[router], device="cpu").save_pretrained(str(tmp_path / "both"))
    encoder = SentenceTransformerEncoder(EncoderSpec(str(tmp_path / "both"), device="cpu"))
    as_query = encoder.encode(["wing heat"], "query").vectors
    as_document = encoder.encode(["wing heat"], "document").vectors
    np.testing.assert_allclose(as_query, as_document[:, ::-1], rtol=1e-6)
    assert not np.allclose(as_query, as_document)


def test_a_model_with_nan_output_is_refused(tmp_path: Path) -> None:
    folder = static_model(tmp_path / "static")
    encoder = SentenceTransformerEncoder(EncoderSpec(folder, device="cpu"))
    with torch.no_grad():
        encoder.model[0].embedding.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="not a number for 1 of 1 texts"):
        encoder.encode(["wing"], "document")


def test_changed_weights_change_the_digest(tmp_path: Path) -> None:
    """Another miner's cache still hit after all weights were overwritten."""
    folder = Path(static_model(tmp_path / "one"))
    before = find_weights(str(folder)).digest
    file = next(folder.rglob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    assert find_weights(str(folder)).digest != before


@pytest.mark.parametrize(
    ("name", "message"),
    [("./nowhere", "no such folder"), ("tests", "holds no config.json")],
)
def test_a_model_that_is_not_there_is_named(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_weights(name)

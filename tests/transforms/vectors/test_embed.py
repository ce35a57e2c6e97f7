"""Token vectors of the embed stage: packed by kind, the same in any company, copied, not mixed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.kernels.search.token_codes import from_bfloat16, pack, row_bytes
from negmine.transforms.models.encoder import load_encoder
from negmine.transforms.models.specs import EncoderSpec, Kind
from negmine.transforms.vectors.embed import EmbedTexts, _Encode
from tests.jobs.collections import document
from tests.transforms.models import broken

TEXTS = [document(at) * (1 + at % 3) for at in range(9)] + ["", document(4) * 2]
BITS = pytest.mark.parametrize(("kind", "bits"), [("document", 2), ("query", 4)])


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> EncoderSpec:
    folder = broken.encoder(tmp_path_factory.mktemp("models") / "encoder")
    return EncoderSpec(str(folder), device="cpu")


def dataset(folder: Path, texts: list[str]) -> Dataset:
    schema = pa.schema([pa.field("text", pa.large_string(), nullable=False)])
    table = pa.table({"text": texts}, schema=schema)
    write_part(str(folder), Block(0, len(texts)).part, table, schema)
    found = Dataset(str(folder))
    found.finish(fingerprint="x")
    return found


def embedded(
    texts: Dataset, spec: EncoderSpec, kind: Kind, block: Block, earlier: Sequence[Dataset] = ()
) -> tuple[pa.Table, dict[str, int]]:
    step = _Encode(EmbedTexts(texts, kind, spec, True, earlier))
    step.setup()
    return step.table(block)


@BITS
def test_token_vectors_are_those_of_the_encoder_packed_text_by_text(
    tmp_path: Path, spec: EncoderSpec, kind: Kind, bits: int
) -> None:
    table, _ = embedded(dataset(tmp_path, TEXTS), spec, kind, Block(0, len(TEXTS)))
    encoder = load_encoder(spec)
    given = encoder.encode(TEXTS, kind, tokens=True).token_vectors
    assert given is not None
    for raw, tokens in zip(table["token_vectors"].to_pylist(), given, strict=True):
        assert len(raw) == len(tokens) * row_bytes(encoder.dimension, bits)
        assert raw == pack(from_bfloat16(tokens), bits).tobytes()


def test_a_text_has_the_same_bytes_in_blocks_of_any_size(tmp_path: Path, spec: EncoderSpec) -> None:
    texts = dataset(tmp_path, TEXTS)
    whole = embedded(texts, spec, "document", Block(0, len(TEXTS)))[0]
    cut = [Block(0, 1), Block(1, 2), Block(2, 7), Block(7, len(TEXTS))]
    parts = pa.concat_tables([embedded(texts, spec, "document", block)[0] for block in cut])
    assert parts.equals(whole)
    raw = whole["token_vectors"].to_pylist()
    assert raw[-1] == raw[4]


def test_token_vectors_of_an_earlier_artifact_are_copied_as_they_are(
    tmp_path: Path, spec: EncoderSpec
) -> None:
    everything = Block(0, len(TEXTS))
    fresh, _ = embedded(dataset(tmp_path / "texts", TEXTS), spec, "document", everything)
    known = dataset(tmp_path / "known", TEXTS[:5])
    table, _ = embedded(known, spec, "document", Block(0, 5))
    width = load_encoder(spec).dimension
    write_part(str(tmp_path / "old"), Block(0, 5).part, table, tables.vectors(width))
    earlier = Dataset(str(tmp_path / "old"))
    earlier.finish(fingerprint="y")
    texts = Dataset(str(tmp_path / "texts"))
    found, counts = embedded(texts, spec, "document", everything, [earlier])
    assert counts["texts_reused"] == 6, "the five, and the one that is there twice"
    assert found.equals(fresh)


def test_a_text_without_words_has_no_token(tmp_path: Path, spec: EncoderSpec) -> None:
    table, _ = embedded(dataset(tmp_path, ["", "sola"]), spec, "document", Block(0, 2))
    lengths = [len(raw) for raw in table["token_vectors"].to_pylist()]
    assert lengths[0] == 0 < lengths[1]
    assert np.isfinite(table["vector"].combine_chunks().flatten().to_numpy()).all()

"""Block-wise text keys and MinHash agree with the one-by-one functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels import near_duplicates as kernel
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.near_duplicates import minhash, shingles, sketches
from negmine.transforms.kernels.text import identity

WORDS = st.lists(st.sampled_from(["a", "B", "ﬁ", "é", "東京", "?", "\x00"]), max_size=9)


@given(st.lists(WORDS.map(" ".join), max_size=12))
def test_a_block_gives_what_each_text_gives(texts: list[str]) -> None:
    keys, values = sketches(texts)
    assert values.shape == (len(texts), 128)
    assert values.tobytes() == b"".join(minhash(shingles(text)) for text in texts)
    assert keys.tolist() == text_keys(identity(text) for text in texts).tolist()


def test_long_texts_cross_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_CHUNK", 16)
    texts = [" ".join(f"w{i * j}" for i in range(j)) for j in (0, 1, 2, 3, 5, 40, 90, 1, 7)]
    _, values = sketches(texts)
    assert values.tobytes() == b"".join(minhash(shingles(text)) for text in texts)


def test_without_minhash_the_keys_are_the_same() -> None:
    texts = ["One two", "three", "?"]
    assert np.array_equal(sketches(texts)[0], sketches(texts, minhash=False)[0])

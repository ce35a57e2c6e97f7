"""Token ids without padding, from the model's own tokeniser on all cores."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer

from negmine.schemas import JsonObject
from negmine.transforms.models.gpu.words import WordPieces

Input: TypeAlias = str | tuple[str, str]
"""A text, or a pair of texts."""

_SAMPLE = 8
_KNOWN = {"input_ids", "attention_mask", "token_type_ids"}


@dataclass(frozen=True)
class Tokens:
    """Token ids of some inputs, one after another.

    Attributes:
        ids: (tokens,) int32 of all; row i is `ids[offsets[i]:offsets[i+1]]`.
        types: the segment of each token, likewise; None where there is one segment.
        offsets: (rows + 1,) int64.
        typed: whether the model is given segments, if only zeros.
        rest: what the model is given besides, the same for all.
    """

    ids: np.ndarray
    types: np.ndarray | None
    offsets: np.ndarray
    typed: bool
    rest: JsonObject

    def packed(self, rows: np.ndarray, width: int, pad: int, left: bool) -> np.ndarray:
        """Some rows padded to `width`: ids, then segments where there are some, then the length.

        (rows, width or 2 width, + 1) int32; `pad` fills ids up, on the `left` where asked.
        """
        starts = self.offsets[rows][:, None]
        lengths = self.offsets[rows + 1][:, None] - starts
        places = np.arange(width) - (width - lengths if left else 0)
        inside = (places >= 0) & (places < lengths)
        at = np.where(inside, starts + places, 0)
        parts = [np.full(inside.shape, pad, dtype=np.int32)]
        parts[0][inside] = self.ids[at[inside]]
        if self.types is not None:
            parts.append(np.zeros(inside.shape, dtype=np.int32))
            parts[1][inside] = self.types[at[inside]]
        return np.concatenate([*parts, lengths.astype(np.int32)], axis=1)


class UnusualFeatures(ValueError):
    """What a model is given is not ids, a mask and segments of one input a row."""


class Tokeniser:
    """What a model's `preprocess` gives, without its padding, its tensors and its one thread.

    The tokeniser behind it is asked directly, one of BERT's kind by a table of words. Each call
    holds that to `preprocess` on a few of its inputs, the shortest and longest among them; where
    they differ, `preprocess` does all.
    """

    def __init__(self, tokenizer: object, preprocess: Callable[[list[Input]], JsonObject]) -> None:
        """`tokenizer` is the model's, of transformers; `preprocess` tokenises and pads."""
        self.tokenizer, self.preprocess = tokenizer, preprocess
        self._lock = threading.Lock()
        self._ways: list[Callable[[Sequence[Input], Tokens], Tokens]] | None = None

    def sampled(self, inputs: Sequence[Input], prompt: str) -> Callable[[list[Input]], Tokens]:
        """How to tokenise these inputs. Raises UnusualFeatures."""
        by_length = sorted(inputs, key=size)
        step = max(1, (len(by_length) - 1) // (_SAMPLE - 1))
        sample = [*by_length[::step], by_length[-1]]
        expected = self._slow(sample)
        with self._lock:
            if self._ways is None:
                self._ways = _ways(self.tokenizer, isinstance(inputs[0], tuple))
        for way in self._ways:
            if _same(way(_prompted(sample, prompt), expected), expected):
                return lambda some: self._held(way, some, prompt, expected)
        return self._slow

    def _held(
        self,
        way: Callable[[Sequence[Input], Tokens], Tokens],
        inputs: list[Input],
        prompt: str,
        like: Tokens,
    ) -> Tokens:
        try:
            return way(_prompted(inputs, prompt), like)
        except (pa.ArrowException, UnicodeError):
            return self._slow(inputs)

    def _slow(self, inputs: list[Input]) -> Tokens:
        # Its tokeniser does not bear that one thread sets its padding while another uses it.
        with self._lock:
            return without_padding(self.preprocess(inputs), isinstance(inputs[0], tuple))


def size(one: Input) -> int:
    """Characters of an input."""
    return len(one) if isinstance(one, str) else len(one[0]) + len(one[1])


def without_padding(features: JsonObject, paired: bool) -> Tokens:
    """Rows of padded features, cut to what their attention mask holds.

    Texts that are not `paired` have one segment. Raises UnusualFeatures for features of other names
    or shapes, for a mask with holes, and for single texts of several segments.
    """
    tensors = {name: v for name, v in features.items() if isinstance(v, torch.Tensor)}
    mask = tensors.get("attention_mask")
    shapes = {tuple(value.shape) for value in tensors.values()}
    if mask is None or mask.ndim != 2 or len(shapes) > 1 or not tensors.keys() <= _KNOWN:
        raise UnusualFeatures(f"features {sorted(features)} are not those of one text a row")
    keep = mask.numpy().astype(bool)
    if (np.diff(keep.astype(np.int8), axis=1) != 0).sum(axis=1).max(initial=0) > 1:
        raise UnusualFeatures("an attention mask has holes")
    typed = "token_type_ids" in tensors
    if typed and not paired and bool(tensors["token_type_ids"].any()):
        raise UnusualFeatures("a text has several segments")

    def kept(name: str) -> np.ndarray:
        return tensors[name].numpy()[keep].astype(np.int32)

    offsets = np.concatenate(([0], np.cumsum(keep.sum(axis=1))))
    rest = {name: value for name, value in features.items() if name not in tensors}
    types = kept("token_type_ids") if typed and paired else None
    return Tokens(kept("input_ids"), types, offsets, typed, rest)


def _prompted(inputs: Sequence[Input], prompt: str) -> Sequence[Input]:
    return [prompt + one for one in inputs if isinstance(one, str)] if prompt else inputs


def _ways(tokenizer: object, paired: bool) -> list[Callable[[Sequence[Input], Tokens], Tokens]]:
    """Quicker ways to tokenise, the quickest first."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        return []
    # As it was just set to cut; without padding.
    copy = Tokenizer.from_str(backend.to_str())
    copy.no_padding()
    words = WordPieces.of(copy, paired)

    def by_words(inputs: Sequence[Input], like: Tokens) -> Tokens:
        assert words is not None
        given = [one if isinstance(one, tuple) else (one,) for one in inputs]
        ids, types, offsets = words(given)
        return Tokens(ids, None if like.types is None else types, offsets, like.typed, like.rest)

    def by_library(inputs: Sequence[Input], like: Tokens) -> Tokens:
        found = copy.encode_batch_fast(list(inputs))
        offsets = np.cumsum([0, *(len(one) for one in found)])
        ids = np.concatenate([np.array(one.ids, dtype=np.int32) for one in found])
        types = None
        if like.types is not None:
            types = np.concatenate([np.array(one.type_ids, dtype=np.int32) for one in found])
        return Tokens(ids, types, offsets, like.typed, like.rest)

    return [by_library] if words is None else [by_words, by_library]


def _same(found: Tokens, expected: Tokens) -> bool:
    pairs = [(found.ids, expected.ids), (found.offsets, expected.offsets)]
    if expected.types is not None and found.types is not None:
        pairs.append((found.types, expected.types))
    return all(np.array_equal(*pair) for pair in pairs)

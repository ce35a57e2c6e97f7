"""Token ids without padding, from the model's own tokeniser on all cores."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from tokenizers import Tokenizer

from negmine.schemas import JsonObject

Input: TypeAlias = str | tuple[str, str]
"""A text, or a pair of texts."""

_SAMPLE = 8
_KNOWN = {"input_ids", "attention_mask", "token_type_ids"}


@dataclass(frozen=True)
class Tokens:
    """Token ids of some inputs.

    Attributes:
        ids: (tokens,) int32 of each.
        types: the segment of each token, likewise; None where there is one segment.
        typed: whether the model is given segments, if only zeros.
        rest: what the model is given besides, the same for all.
    """

    ids: list[np.ndarray]
    types: list[np.ndarray] | None
    typed: bool
    rest: JsonObject


class Tokeniser:
    """What a model's `preprocess` gives, without its padding, its tensors and its one thread.

    The tokeniser behind it is asked directly, which gives the same several times as fast. Each call
    holds it to `preprocess` on a few of its inputs, the shortest and longest among them; where they
    differ, or where there is none behind it, `preprocess` does all.
    """

    def __init__(self, tokenizer: object, preprocess: Callable[[list[Input]], JsonObject]) -> None:
        """`tokenizer` is the model's, of transformers; `preprocess` tokenises and pads."""
        self.tokenizer, self.preprocess = tokenizer, preprocess
        self._lock = threading.Lock()
        self._fast: Tokenizer | None = None

    def sampled(self, inputs: Sequence[Input], prompt: str) -> Callable[[list[Input]], Tokens]:
        """How to tokenise these inputs. Raises UnusualFeatures."""
        by_length = sorted(inputs, key=_characters)
        step = max(1, (len(by_length) - 1) // (_SAMPLE - 1)) if len(by_length) > 1 else 1
        sample = [*by_length[::step], by_length[-1]]
        expected = self._slow(sample)
        with self._lock:
            if self._fast is None:
                self._fast = _copied(self.tokenizer)
        fast = self._fast
        if fast is not None and _same(_asked(fast, sample, prompt, expected), expected):
            return lambda some: _asked(fast, some, prompt, expected)
        return self._slow

    def _slow(self, inputs: list[Input]) -> Tokens:
        # Its tokeniser does not bear that one thread sets its padding while another uses it.
        with self._lock:
            return without_padding(self.preprocess(inputs), isinstance(inputs[0], tuple))


class UnusualFeatures(ValueError):
    """What a model is given is not ids, a mask and segments of one input a row."""


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
    rest = {name: value for name, value in features.items() if name not in tensors}

    def rows(name: str) -> list[np.ndarray]:
        matrix = tensors[name].numpy().astype(np.int32)
        return [row[kept] for row, kept in zip(matrix, keep, strict=True)]

    typed = "token_type_ids" in tensors
    if typed and not paired and bool(tensors["token_type_ids"].any()):
        raise UnusualFeatures("a text has several segments")
    return Tokens(
        rows("input_ids"), rows("token_type_ids") if typed and paired else None, typed, rest
    )


def _characters(one: Input) -> int:
    return len(one) if isinstance(one, str) else len(one[0]) + len(one[1])


def _copied(tokenizer: object) -> Tokenizer | None:
    """A copy of the tokeniser in Rust, cut as it is set to cut, without padding; or None."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        return None
    copy = Tokenizer.from_str(backend.to_str())
    copy.no_padding()
    return copy


def _asked(fast: Tokenizer, inputs: Sequence[Input], prompt: str, like: Tokens) -> Tokens:
    given = [prompt + one for one in inputs if isinstance(one, str)] if prompt else list(inputs)
    found = fast.encode_batch_fast(given)
    ids = [np.array(one.ids, dtype=np.int32) for one in found]
    types = None
    if like.types is not None:
        types = [np.array(one.type_ids, dtype=np.int32) for one in found]
    return Tokens(ids, types, like.typed, like.rest)


def _same(found: Tokens, expected: Tokens) -> bool:
    def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
        return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))

    return equal(found.ids, expected.ids) and (
        expected.types is None or equal(found.types or [], expected.types)
    )

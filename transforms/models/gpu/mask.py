"""Attention without a mask, where no row is padded: a faster kernel of the same result."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from transformers import AttentionInterface, PretrainedConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward

_WHOLE = "sdpa_of_whole_rows"
"""Name of an attention that transformers makes no mask for, as it knows none for it."""
_KINDS = {"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"}
"""Models whose mask says only which tokens are padding."""


class MaskSwitch:
    """Lets encoders of BERT's kind do without their attention mask for a call.

    Transformers itself leaves out a mask that holds only ones, but has to look, which waits for the
    device and cannot be captured. Other models keep their mask.
    """

    def __init__(self, transformers: Sequence[torch.nn.Module]) -> None:
        configs = [getattr(transformer, "config", None) for transformer in transformers]
        self._configs: list[PretrainedConfig] = [c for c in configs if _is_plain(c)]
        if self._configs:
            AttentionInterface.register(_WHOLE, sdpa_attention_forward)

    @contextmanager
    def dropped(self, full: bool) -> Iterator[None]:
        """The body's calls have no mask where no row is padded."""
        name = _WHOLE if full else "sdpa"
        for config in self._configs:
            config._attn_implementation = name
        try:
            yield
        finally:
            for config in self._configs:
                config._attn_implementation = "sdpa"


def _is_plain(config: object) -> bool:
    plain = getattr(config, "model_type", None) in _KINDS
    decodes = getattr(config, "is_decoder", False)
    return plain and not decodes and getattr(config, "_attn_implementation", None) == "sdpa"

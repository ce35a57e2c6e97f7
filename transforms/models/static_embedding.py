"""Texts tokenised for a StaticEmbedding: ids of all, and where each text begins."""

from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from negmine.schemas import JsonObject


def static_features(
    module: StaticEmbedding, texts: Sequence[str], prompt: str | None
) -> JsonObject:
    """`input_ids` and `offsets`, as the model's own `preprocess` gives them."""
    # The model's own looks at each text for what may be a picture or a sound, and has the
    # tokeniser note where each token stands: half of a static model's CPU time, profiled.
    asked = [prompt + text for text in texts] if prompt else list(texts)
    found = module.tokenizer.encode_batch_fast(asked, add_special_tokens=False)
    ids = [np.asarray(one.ids, dtype=np.int64) for one in found]
    ends = np.cumsum([len(one) for one in ids])
    return {
        "input_ids": torch.from_numpy(np.concatenate(ids)),
        "offsets": torch.from_numpy(np.concatenate([[0], ends[:-1]])),
    }

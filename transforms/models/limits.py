"""How many tokens a model takes, by its config and by its layers; imports no deep-learning code."""

import json
from collections.abc import Iterable
from pathlib import Path

from negmine.schemas.errors import ConfigError

_TABLES = ("position_embeddings", "embed_positions", "position_embedding", "wpe")
"""Names of the layers that hold a vector a position."""

_OFFSET = {
    "camembert": 2,
    "data2vec-text": 2,
    "longformer": 2,
    "mpnet": 2,
    "roberta": 2,
    "roberta-prelayernorm": 2,
    "xlm-roberta": 2,
    "xlm-roberta-xl": 2,
    "xmod": 2,
}
"""First position that a text uses, by kind of model; elsewhere 0."""


def most_tokens(folder: Path) -> int | None:
    """Positions of a model by its config.json, None where it does not say or has no limit."""
    for file in (folder / "config.json", *sorted(folder.glob("*/config.json"))):
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if not isinstance(config, dict):
            continue
        inner = config.get("text_config")
        for part in (config, inner if isinstance(inner, dict) else {}):
            positions = part.get("max_position_embeddings")
            if isinstance(positions, int) and positions > 0:
                return positions - _OFFSET.get(str(part.get("model_type")), 0)
    return None


def positions_of(modules: Iterable[tuple[str, object]], config: object) -> int | None:
    """Positions of a loaded model: by its tables of positions, else by its config; None = no limit.

    Args:
        modules: `named_modules()` of it.
        config: its transformers config, or None.
    """
    found = []
    for name, module in modules:
        rows = getattr(module, "num_embeddings", None)
        if isinstance(rows, int) and name.rpartition(".")[2] in _TABLES:
            padding = getattr(module, "padding_idx", None)
            first = int(getattr(module, "offset", 0)) if padding is None else int(padding) + 1
            found.append(rows - first)
    if found:
        return min(found)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    limit = getattr(text, "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def check_length(folder: str, key: str, asked: int | None, positions: int | None) -> None:
    """Raise ConfigError where `key` asks for more tokens than a model has positions."""
    if asked is not None and positions is not None and asked > positions:
        raise ConfigError(
            f"{key} {asked} is more than the {positions} tokens that the model in {folder} "
            f"has positions for; set {positions} or less, or null for the model's own limit"
        )

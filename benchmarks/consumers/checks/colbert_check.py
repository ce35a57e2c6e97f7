"""ColBERT: its own batcher over every line, with and without scores."""

import sys
from pathlib import Path
from types import ModuleType

from common import Found, model_folder, tell

for name in ("utility", "utility.utils", "utility.utils.save_metadata"):
    if name not in sys.modules:
        # The wheel imports a folder of its repository that it does not have.
        sys.modules[name] = ModuleType(name)
sys.modules["utility.utils.save_metadata"].get_metadata_only = dict  # type: ignore[attr-defined]

from colbert.infra import ColBERTConfig  # noqa: E402
from colbert.training.lazy_batcher import LazyBatcher  # noqa: E402


def check(folder: Path) -> Found:
    width = 4
    config = ColBERTConfig(
        bsize=1, accumsteps=1, nway=width, checkpoint=model_folder(), doc_maxlen=64, query_maxlen=32
    )
    batcher = LazyBatcher(
        config,
        str(folder / "triples.jsonl"),
        str(folder / "queries.tsv"),
        str(folder / "collection.tsv"),
    )
    used = 0
    for batches in batcher:
        for (queries, _), (documents, _), _ in batches:
            assert len(queries) == 1 and len(documents) == width
            used += 1
    return f"LazyBatcher, nway={width}, over every line", used


tell("colbert-ai", {"colbert": check, "colbert-scores": check})

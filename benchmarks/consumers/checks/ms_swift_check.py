"""ms-swift: its loader, and its template for embedding and reranker over every row."""

from pathlib import Path
from typing import Any

from common import Found, model_folder, tell
from swift.dataset import load_dataset


def _loaded(file: Path) -> Any:
    rows, _ = load_dataset([str(file)], split_dataset_ratio=0, num_proc=1, strict=True)
    return rows


def _check(task: str) -> Any:
    def check(file: Path) -> Found:
        from swift.model import get_processor
        from swift.template import get_template

        rows = _loaded(file)
        processor = get_processor(model_folder(), model_type="bert")
        template = get_template(
            processor, template_type={"embedding": "qwen3_emb", "reranker": "qwen3_reranker"}[task]
        )
        template.set_mode("train")
        template.task_type = task
        used = 0
        for row in rows:
            encoded = template.encode(row)
            assert encoded["labels"]
            used += 1
        return f"load_dataset and the template of {task} over every row", used

    return check


tell("ms-swift", {"ms_swift": _check("embedding"), "ms_swift_reranker": _check("reranker")})

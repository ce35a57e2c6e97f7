"""The ten lines of docs/python.md, run as they stand: from a DataFrame to a training step."""

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.collections import document, static_student

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


@pytest.mark.slow
def test_the_pages_first_lines_go_from_a_data_frame_to_a_trained_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code, *_) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in code.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) <= 10
    monkeypatch.chdir(tmp_path)
    student = static_student(tmp_path / "model")
    pairs = [(" ".join(document(i).split()[:2]), document(i)) for i in range(60)]
    pd.DataFrame(pairs, columns=["query", "positive"]).to_csv("pairs.csv", index=False)
    before = (student / "model.safetensors").read_bytes()
    names: dict[str, object] = {}
    exec(code.replace("path/or/hub-name", str(student)), names)  # the page itself
    model, train = names["model"], names["train"]
    assert train.column_names[:3] == ["anchor", "positive", "negative_1"]  # type: ignore[attr-defined]
    model.save_pretrained(str(tmp_path / "trained"))  # type: ignore[attr-defined]
    assert (tmp_path / "trained" / "model.safetensors").read_bytes() != before

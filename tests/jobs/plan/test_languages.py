"""A plan for texts of which the input tells the languages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.collections import document, negmine, small_run
from tests.transforms.input_files import write_beir

LANGUAGES = ("de", "en", None)
BOTH = {"languages": "both"}
ASKING: dict[str, Any] = {
    "sources": {"bm25": {**BOTH, "language": "auto"}, "dense": BOTH, "random": BOTH},
    "language_mix": {"same": 0.5, "other": 0.5},
    "policies": {"translation_of_positive": {"nearest": 1}},
}


@pytest.mark.parametrize("settings", [{}, ASKING], ids=["as_ever", "by_language"])
def test_samples_keep_the_languages_of_their_texts(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    texts = [{"_id": f"d{i}", "text": document(i), "lang": LANGUAGES[i % 3]} for i in range(30)]
    asked = [{**texts[i], "_id": f"q{i}", "text": f"{document(i)[:20]}?"} for i in range(6)]
    folder = write_beir(tmp_path / "in", texts, asked, [(f"q{i}", f"d{i}", 1) for i in range(6)])
    config = small_run(tmp_path / "run", input={"format": "beir", "path": str(folder)}, **settings)
    ended = negmine("plan", config, "--json")
    assert ended.code == 0, ended.err
    assert {stage["stage"] for stage in json.loads(ended.out)["stages"]} >= {"retrieve", "select"}

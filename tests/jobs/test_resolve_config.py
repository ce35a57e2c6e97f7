"""What stands for a config: YAML, a preset's name or data, and the options beside it."""

import json
from pathlib import Path

import pytest
import yaml

from negmine.jobs.resolve_config import Choices, resolve
from negmine.schemas.errors import ConfigError, DataError
from tests.transforms.input_files import write_lines

PAIRS = [
    {"query": f"where is thing {i}", "positive": f"On the shelf, place {i}."} for i in range(9)
]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_preset_goes_by_its_name_from_anywhere() -> None:
    chosen = Choices(settings=("input.limit=7",), output="elsewhere")
    config = resolve("stdlib", chosen).config(chosen)
    assert (config.input.format, config.input.limit) == ("stdlib", 7)
    assert config.output.path == "elsewhere"


def test_a_yaml_file_of_a_presets_name_comes_first() -> None:
    Path("stdlib.yaml").write_text("input: {format: stdlib, limit: 3}")
    found = resolve("stdlib", Choices())
    assert found.values["input"]["limit"] == 3
    assert found.note == "stdlib: read stdlib.yaml of this folder, not the preset of that name"


def test_a_preset_comes_before_a_folder_of_its_name_and_says_so() -> None:
    Path("stdlib").mkdir()
    found = resolve("stdlib", Choices())
    assert found.inspection is None
    assert found.note == "stdlib: the preset of that name; ./stdlib names what is in this folder"


def test_data_is_looked_at() -> None:
    write_lines(Path("rows.jsonl"), PAIRS)
    found = resolve("rows.jsonl", Choices())
    assert found.inspection is not None
    assert found.config(Choices()).judge.kind == "fusion"


def test_a_json_file_with_an_input_is_a_config() -> None:
    Path("run.json").write_text(json.dumps({"input": {"format": "stdlib"}}))
    assert resolve("run.json", Choices()).inspection is None


def test_what_is_not_there_is_told_by_what_it_would_be() -> None:
    with pytest.raises(DataError, match=r"rows.csv does not exist; looked at /"):
        resolve("rows.csv", Choices())
    with pytest.raises(ConfigError, match="Presets go by name"):
        resolve("nix", Choices())


def test_the_student_takes_the_place_of_vectors_and_folds() -> None:
    Path("a.yaml").write_text(
        "input: {format: stdlib}\n"
        "student: {vectors: {documents: d, queries: q}, query_prompt: 'query: '}\n"
        "judge: {kind: none}"
    )
    chosen = Choices(student="./checkpoint")
    student = resolve("a.yaml", chosen).config(chosen).student
    assert (student.model, student.vectors, student.query_prompt) == (
        "./checkpoint",
        None,
        "query: ",
    )


@pytest.mark.parametrize(
    ("asked", "kind", "model"),
    [
        ("none", "none", None),
        ("fusion", "fusion", None),
        ("late_interaction", "late_interaction", None),
        ("cross_encoder", "cross_encoder", None),
        ("./reranker", "cross_encoder", "./reranker"),
    ],
)
def test_the_judge_is_a_kind_or_a_cross_encoder(asked: str, kind: str, model: str | None) -> None:
    judge = resolve("stdlib", Choices(judge=asked)).config(Choices()).judge
    assert (judge.kind, getattr(judge, "model", None)) == (kind, model)


def test_a_judge_of_the_same_kind_keeps_its_other_keys() -> None:
    Path("a.yaml").write_text(
        "input: {format: stdlib}\njudge: {kind: cross_encoder, model: x, max_length: 99}"
    )
    assert resolve("a.yaml", Choices(judge="y")).values["judge"] == {
        "kind": "cross_encoder",
        "model": "y",
        "max_length": 99,
    }


def test_a_judge_that_needs_more_is_refused() -> None:
    with pytest.raises(ConfigError, match="--judge precomputed needs more keys"):
        resolve("stdlib", Choices(judge="precomputed"))


def test_negatives_are_the_quota_of_the_tier_hard() -> None:
    chosen = Choices(negatives=9)
    tiers = resolve("stdlib", chosen).config(chosen).tiers
    assert {name: tier.quota for name, tier in tiers.items()} == {"hard": 9, "semi_hard": 0}
    assert tiers["hard"].min_ratio == 0.8


def test_negatives_need_a_tier_of_that_name() -> None:
    Path("a.yaml").write_text("input: {format: stdlib}\ntiers: {near: {quota: 3}}")
    with pytest.raises(ConfigError, match=r"has the tiers near; write --set tiers\.NAME\.quota"):
        resolve("a.yaml", Choices(negatives=4))


def test_what_is_in_data_is_not_said_beside_a_config() -> None:
    with pytest.raises(ConfigError, match=r"--pool goes with data, and stdlib is a config"):
        resolve("stdlib", Choices(pool="pool.jsonl"))


def test_settings_of_the_input_count_before_the_data_is_looked_at() -> None:
    rows = [{"x": r["query"], "y": r["positive"], "z": f"or {r['positive']}"} for r in PAIRS]
    write_lines(Path("rows.jsonl"), rows)
    chosen = Choices(settings=("input.query=x", "input.positive=[y, z]"))
    config = resolve("rows.jsonl", chosen).config(chosen)
    assert config.model_dump()["input"]["positive"] == ("y", "z")


def test_a_written_config_gives_the_same_run() -> None:
    from negmine.jobs.write_config import write_config

    write_lines(Path("rows.jsonl"), PAIRS)
    chosen = Choices(settings=("seed=7",), judge="none", negatives=3)
    found = resolve("rows.jsonl", chosen)
    path = write_config(found, chosen, None, force=False)
    assert str(path) == "rows.yaml"
    assert resolve("rows.yaml", Choices()).config(Choices()) == found.config(chosen)
    assert yaml.safe_load(path.read_text())["seed"] == 7
    with pytest.raises(ConfigError, match=r"rows.yaml is there already; --force replaces it"):
        write_config(found, chosen, None, force=False)
    assert write_config(found, chosen, None, force=True) == path
    with pytest.raises(ConfigError, match="is a config already"):
        write_config(resolve("stdlib", Choices()), Choices(), None, force=False)

"""Settings that differ, and the warnings about what cannot be compared."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.compare import compare
from negmine.jobs.compare.result import Comparison, PolicyChange, Setting
from negmine.jobs.compare.settings import flatten
from tests.jobs.compare.a_pair import Pair, a_manifest, metric, write_run


def pair(output: Path, **changed: Any) -> Comparison:
    """Runs whose manifests differ by `changed` in B."""
    a, b = (
        write_run(output, name, [Pair("q", "d")], metrics=[metric("gini", 0.1)], **values)
        for name, values in (("a", {}), ("b", changed))
    )
    return compare(a, b)


def test_runs_made_alike_have_no_difference_and_no_warning(tmp_path: Path) -> None:
    found = pair(tmp_path)
    assert (found.config, found.policies, found.inputs, found.warnings) == ([], [], [], [])


def test_keys_of_the_config_that_differ_are_named_with_both_values(tmp_path: Path) -> None:
    config = a_manifest("b")["config"]
    config["judge"] = {"kind": "cross_encoder", "max_length": 64, "judges": [], "agree": 2}
    config["tiers"]["hard"] = {"quota": 5, "min_ratio": None}
    config["tiers"]["x.y"] = {"quota": 2}
    assert pair(tmp_path, config=config).config == [
        Setting("judge.kind", "fusion", "cross_encoder"),
        Setting("judge.max_length", None, 64),
        Setting("tiers.hard.quota", 1, 5),
        Setting("tiers.x.y.quota", None, 2),
    ]


def test_policies_are_compared_as_a_list(tmp_path: Path) -> None:
    margin, known = ({"judge_relative_margin": {"keep_below": 0.95}}, {"known_positive": {}})
    other = {"judge_relative_margin": {"keep_below": 0.9}}
    assert pair(tmp_path / "same", policies=[known, margin]).policies == []
    assert pair(tmp_path / "parameter", policies=[known, other]).policies == [
        PolicyChange("judge_relative_margin", 2, 2, {"keep_below": 0.95}, {"keep_below": 0.9})
    ]
    assert pair(tmp_path / "order", policies=[margin, known]).policies == [
        PolicyChange("known_positive", 1, 2, {}, {}),
        PolicyChange("judge_relative_margin", 2, 1, {"keep_below": 0.95}, {"keep_below": 0.95}),
    ]
    assert pair(tmp_path / "more", policies=[{"same_text": {}}, known, margin, other]).policies == [
        PolicyChange("same_text", None, 1, None, {}),
        PolicyChange("judge_relative_margin", None, 4, None, {"keep_below": 0.9}),
    ]


def test_inputs_models_and_versions_that_differ_are_named(tmp_path: Path) -> None:
    found = pair(tmp_path, inputs={"documents": "bbbb"}, models={"student": "9"}, seed=7)
    assert found.inputs == [
        Setting("inputs.documents", "aaaa", "bbbb"),
        Setting("models.student", "0123", "9"),
        Setting("seed", None, 7),
    ]


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"inputs": {"documents": "b"}}, "the inputs differ: .* by their identifiers"),
        ({"models": {"student": "9"}}, "the students differ: S, Δ and ECI"),
        ({"models": {"student": "0123", "judge": "9"}}, "the judges differ"),
        ({"config": {"judge": {"kind": "none"}}}, "the judges differ"),
    ],
)
def test_what_is_not_on_one_scale_is_warned_of(tmp_path: Path, changed: Any, warning: str) -> None:
    with pytest.raises(AssertionError, match=warning):
        assert not pair(tmp_path, **changed).warnings


def test_the_device_does_not_make_another_student(tmp_path: Path) -> None:
    config = a_manifest("b")["config"]
    config["student"] |= {"device": "cuda"}
    config["judge"] |= {"device": "cuda"}
    assert pair(tmp_path, config=config).warnings == []


def test_queries_of_one_run_and_missing_metrics_are_warned_of(tmp_path: Path) -> None:
    a = write_run(tmp_path, "a", [Pair("q", "d"), Pair("r", "d")])
    b = write_run(tmp_path, "b", [Pair("q", "d")], ["s", "t"])
    first, second, third = compare(a, b).warnings
    assert "over the 1 queries of both runs; 1 are only in A and 2 only in B" in first
    assert "run A has no metrics.parquet" in second
    assert "run B has no metrics.parquet" in third


def test_a_bare_manifest_is_compared_all_the_same(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path, name, [Pair("q", "d")]) for name in "ab")
    (b.path / "manifest.json").write_text("{}")
    found = compare(a, b)
    assert Setting("judge.kind", "fusion", None) in found.config
    assert found.overlap[0].both == 1


def test_flat_keys_hold_lists_and_empty_objects_whole() -> None:
    value = {"a": {"b": [1, {"c": 2}], "d": {}}, "e": None}
    assert flatten(value) == {"a.b": [1, {"c": 2}], "a.d": {}, "e": None}
    assert flatten({}) == {}


def test_another_kind_of_processor_is_named_and_warned_of(tmp_path: Path) -> None:
    kinds = [
        {"model": "A 1", "numpy": "SkylakeX", "embed": {"torch": "AVX512"}},
        {"model": "A 1", "numpy": "Haswell", "embed": {"torch": "AVX2"}},
    ]
    a, b = (
        write_run(tmp_path, name, [Pair("q", "d")], processor=kind)
        for name, kind in zip("ab", kinds, strict=True)
    )
    found = compare(a, b)
    assert found.inputs == [
        Setting("processor.embed.torch", "AVX512", "AVX2"),
        Setting("processor.numpy", "SkylakeX", "Haswell"),
    ]
    (warning,) = (line for line in found.warnings if "processor" in line)
    assert "SkylakeX in A, Haswell in B" in warning


def test_a_run_that_does_not_know_its_processor_is_not_another_kind(tmp_path: Path) -> None:
    changed = {"processor": {"model": "A 1"}, "precision": {"student_dtype": "float32"}}
    assert pair(tmp_path, **changed).inputs == []

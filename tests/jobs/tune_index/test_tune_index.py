"""Indexes in a run: made once, reused, gated by recall; and `negmine tune-index`."""

import json
from pathlib import Path

import pytest
import yaml

from negmine.jobs.load_config import load_config
from tests.jobs.collections import DIMENSION, negmine, static_student, write_config
from tests.transforms.input_files import write_beir

DOCUMENTS, QUERIES = 1500, 20


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run over more documents than a shard that is searched exactly holds."""
    root = tmp_path_factory.mktemp("tune")
    student = static_student(root / "student")
    vocabulary = list(json.loads((student / "tokenizer.json").read_text())["model"]["vocab"])[5:]
    texts = [
        " ".join(
            vocabulary[(i * a + i // b) % len(vocabulary)] for a, b in ((1, 7), (3, 5), (7, 3))
        )
        for i in range(DOCUMENTS)
    ]
    collection = write_beir(
        root / "collection",
        [{"_id": f"d{i:05}", "text": f"{text} {i}"} for i, text in enumerate(texts)],
        [{"_id": f"q{i:05}", "text": texts[i * 31][:15]} for i in range(QUERIES)],
        [(f"q{i:05}", f"d{i * 31:05}", 1) for i in range(QUERIES)],
    )
    return write_config(
        root / "config.yaml",
        input={"format": "beir", "path": str(collection), "split": "train"},
        student={"model": str(student)},
        judge={"kind": "none"},
        sources={"bm25": None, "dense": {"depth": 10}, "random": None},
        tiers={"hard": {"quota": 2}},
        output={"path": str(root / "out")},
    )


def retrieve(config: str, *settings: str) -> object:
    return negmine("retrieve", config, *(word for pair in settings for word in ("--set", pair)))


def artifacts(config: str, stage: str) -> set[str]:
    work = Path(yaml.safe_load(Path(config).read_text())["output"]["path"]) / "work" / stage
    return {path.name for path in work.iterdir()} if work.is_dir() else set()


def test_tune_index_measures_and_names_settings_that_can_be_used(config):
    ended = negmine("tune-index", config, "--k", "10", "--recall", "0.9", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    names = [choice["name"] for choice in found["choices"]]
    assert names[0] == "index flat" and found["choices"][0]["recall"] == 1.0
    for kind in ("index ivf,", "index ivfpq,", "index hnsw,", "first_pass pca,"):
        assert any(name.startswith(kind) for name in names), kind
    assert found["best"]["recall"] >= 0.9
    reached = [c for c in found["choices"] if c["recall"] >= 0.9]
    assert found["best"]["total_seconds"] == min(c["total_seconds"] for c in reached)
    assert found["sampled_queries"] == found["queries"] == QUERIES
    settings = yaml.safe_load(found["yaml"])["sources"]["dense"]
    assert load_config(config, [f"sources.dense={json.dumps(settings)}"]).sources.dense.depth == 10
    for choice in found["choices"]:
        assert load_config(config, [f"sources.dense={json.dumps(choice['settings'])}"])
        assert choice["bytes"] > 0 or choice is found["choices"][0]


def test_tune_index_prints_a_table_and_the_yaml(config):
    ended = negmine("tune-index", config, "--k", "10", "--queries", "5")
    assert ended.code == 0, ended.err
    assert "recall@10" in ended.out
    assert "sources:\n  dense:" in ended.out
    assert "5 queries drawn by the seed" in ended.out


@pytest.mark.parametrize("option", [("--recall", "1.5"), ("--k", "0"), ("--queries", "0")])
def test_arguments_out_of_range_are_refused(config, option):
    ended = negmine("tune-index", config, *option)
    assert ended.code == 2
    assert option[0] in ended.err


def test_an_index_is_made_once_and_reused(config):
    first = retrieve(config, "sources.dense.index=ivf", "sources.dense.min_recall=0")
    assert first.code == 0, first.err
    assert "recall@10 against exact search is" in first.err
    before = artifacts(config, "index")
    assert len(before) == 3
    for setting in ("runner.block_size=3", "sources.dense.min_recall=0.01"):
        again = retrieve(config, "sources.dense.index=ivf", "sources.dense.min_recall=0", setting)
        assert again.code == 0, again.err
        assert "retrieve   reused" in again.out and "index      reused" in again.out
    assert artifacts(config, "index") == before
    other = retrieve(config, "sources.dense.index=ivf", "sources.dense.min_recall=0", "seed=7")
    assert other.code == 0, other.err
    assert artifacts(config, "index") > before


def test_a_recall_below_the_one_asked_for_stops_the_run_and_says_what_to_set(config):
    ended = retrieve(
        config,
        "sources.dense.first_pass={kind: prefix, dimension: 1}",
        "sources.dense.over_fetch=1",
    )
    assert ended.code == 2
    assert "recall@10 against exact search is 0." in ended.err
    assert f"on {QUERIES} queries, and min_recall is 0.99" in ended.err
    assert "Raise sources.dense.first_pass.dimension or sources.dense.over_fetch" in ended.err
    assert "tune-index" in ended.err


def test_a_first_pass_that_looks_at_everything_gives_the_exact_candidates(config):
    assert retrieve(config).code == 0
    exact = artifacts(config, "retrieve")
    ended = retrieve(
        config,
        f"sources.dense.first_pass={{kind: pca, dimension: {DIMENSION // 2}}}",
        f"sources.dense.over_fetch={DOCUMENTS}",
    )
    assert ended.code == 0, ended.err
    assert "is 1.0000" in ended.err
    assert artifacts(config, "retrieve") > exact


def test_the_key_of_exact_candidates_is_what_it_was(config):
    """Artifacts of exact search made before there were other indexes stay usable."""
    assert retrieve(config).code == 0
    work = Path(yaml.safe_load(Path(config).read_text())["output"]["path"]) / "work"
    keys = [
        json.loads(file.read_text()).get("key", {})
        for file in (work / "retrieve").glob("*/_manifest.json")
    ]
    assert any(
        key.get("config") == {"depth": 10, "index": "flat"}
        and set(key) == {"source", "config", "d", "q"}
        for key in keys
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sources.dense.index=HNWS32", "FAISS factory string"),
        ("sources.dense.nprobe=4", "nprobe has no effect with index flat"),
        ("sources.dense.min_recall=0.9", "min_recall has no effect"),
        ("sources.dense={index: ivf, first_pass: {kind: pca, dimension: 4}}", "first_pass has no"),
        ("sources.dense={index: 'IVF8,Flat', m: 4}", "m has no effect"),
    ],
)
def test_settings_without_effect_are_refused(config, setting, message):
    ended = retrieve(config, setting)
    assert ended.code == 2
    assert message in ended.err

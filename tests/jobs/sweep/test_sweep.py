"""`negmine sweep`: the effect of settings, foretold from stored scores."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import Run, find_run
from negmine.jobs.sweep.grid import parse_grid
from negmine.jobs.sweep.plot import notes, svg, sweep_table, write_plot
from negmine.jobs.sweep.run import sweep
from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.tiers import similarity_ratio
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.pairs.hold_out import hidden_positives
from tests.jobs.collections import document, negmine, static_student, write_config
from tests.jobs.published_runs import mine
from tests.transforms.input_files import write_beir

QUERIES, DOCUMENTS = 12, 60
CALIBRATED = "judge_calibrated_threshold.positives_above"


def swept(run: Run, *options: str) -> list[dict[str, Any]]:
    return sweep(run, parse_grid(options))


def summary(run: Run) -> dict[str, Any]:
    return dict(run.manifest["summary"])


def ids(queries: np.ndarray, documents: np.ndarray) -> set[tuple[str, str]]:
    pairs = zip(queries, documents, strict=True)
    return {(f"q{query:04}", f"d{doc:04}") for query, doc in pairs}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student, and precomputed scores of every pair of the collection."""
    folder = tmp_path_factory.mktemp("sweep")
    static_student(folder / "student")
    scores = [
        {
            "query_id": f"q{query:04}",
            "doc_id": f"d{doc:04}",
            "score": int(mix(query, doc) >> np.uint64(54)) / 1024 + (doc % 20 == query % 20) / 4,
        }
        for query in range(QUERIES)
        for doc in range(DOCUMENTS)
    ]
    (folder / "scores.jsonl").write_text("\n".join(map(json.dumps, scores)))
    return folder


QRELS = [(f"q{i:04}", f"d{(i + 20 * k) % 60:04}", 1) for i in range(QUERIES) for k in range(3)]


def collection_run(
    base: Path, name: str, qrels: list[Any], *settings: str, alone: bool = False
) -> Run:
    """A run of a collection with these qrels; every query has three in `QRELS`.

    Its work directory is that of all others if it is not `alone`.
    """
    folder = write_beir(
        base / f"{name}-collection",
        [{"_id": f"d{i:04}", "text": document(i)} for i in range(DOCUMENTS)],
        [{"_id": f"q{i:04}", "text": " ".join(document(i).split()[:2])} for i in range(QUERIES)],
        qrels,
    )
    config = write_config(
        base / f"{name}.yaml",
        input={"format": "beir", "path": str(folder)},
        student={"model": str(base / "student"), "device": "cpu"},
        sources={"bm25": None, "dense": {"depth": 25}, "random": {"count": 5}},
        judge={"kind": "precomputed", "path": str(base / "scores.jsonl")},
        tiers={"hard": {"quota": 3, "min_ratio": 0.8}, "rest": {"quota": 2}},
        output={} if alone else {"workdir": str(base / "work")},
    )
    sets = [word for setting in settings for word in ("--set", setting)]
    ended = negmine("mine", config, "--output", str(base / name), *sets)
    assert ended.code == 0, ended.err
    return find_run(str(base / name))


@pytest.fixture(scope="module")
def several(base: Path) -> Run:
    return collection_run(base, "several", QRELS)


@pytest.mark.parametrize(
    ("policy", "setting"),
    [
        ("judge_calibrated_threshold", f"{CALIBRATED}=0.8"),
        ("near_duplicate_of_negative", "near_duplicate_of_negative.cosine=0.6"),
        ("", "sampling.method=softmax"),
        ("", "tiers.hard.min_ratio=0.6"),
        ("", "tiers.semi_hard.quota=5"),
        ("", "tiers.hard.sampling.method=mmr"),
    ],
)
def test_a_swept_setting_gives_what_mining_with_it_gives(
    first: tuple[Path, MiningRun], policy: str, setting: str
) -> None:
    """No other miner can say what another threshold would do without mining again."""
    (row,) = swept(find_run(str(first[0])), setting)
    name = re.sub(r"[^a-z0-9]", "-", setting)
    key = f"policies.{setting}" if policy else setting
    mined, _ = mine(first[0].parents[1], key, f"output.run_id={name}")
    found = summary(find_run(str(mined)))
    assert row["dropped"] == (found["verdicts"].get(policy, 0) if policy else None)
    assert row["tiers"] == {tier: entry["negatives"] for tier, entry in found["tiers"].items()}
    assert row["backfilled"] == sum(entry["backfilled"] for entry in found["tiers"].values())
    for figure in ("eci", "signal", "safety", "harmonic_mean", "negatives"):
        assert row[figure] == pytest.approx(found["eci"]["overall"][figure], abs=1e-6)
    _as_published(Dataset(str(mined / "sets")), row)


def _as_published(sets: Dataset, row: dict[str, Any]) -> None:
    """Shortfall, hardness and mean ratio against the published rows."""
    assert row["shortfall"] == sets.read(["shortfall"])["shortfall"].to_numpy().sum()
    published = [
        Dataset(str(folder)).read(["dense_score", "positive_dense_score"])
        for folder in (sets.directory.parent / "negatives").iterdir()
    ]
    ratio = np.concatenate(
        [similarity_ratio(*(column.to_numpy() for column in t.columns)) for t in published]
    )
    assert row["hard_negatives"] == (ratio >= 0.8).sum()
    assert row["mean_ratio"] == pytest.approx(ratio.mean(), abs=1e-6)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_leak_is_that_of_mining_without_the_hidden_labels(
    base: Path, several: Run, share: float
) -> None:
    """Hidden positives are taken out of the qrels, and the collection is mined again."""
    queries, documents = (
        np.array([int(row[at][1:]) for row in QRELS], dtype=np.int64) for at in (0, 1)
    )
    judged = Dataset(str(several.artifacts()["judged"])).read()
    known = judged.filter(judged["is_positive"])
    hidden = hidden_positives(
        *(known[name].to_numpy() for name in ("query_ix", "is_positive", "pair_key")), 42
    )
    labels = ids(queries, documents)
    gone = ids(*(known[name].to_numpy()[hidden] for name in ("query_ix", "doc_ix")))
    assert gone < labels
    assert len(gone) == QUERIES
    left = [row for row in QRELS if row[:2] not in gone]
    mined = collection_run(base, f"left-{share}", left, f"policies.{CALIBRATED}={share}")
    negatives = [
        Dataset(str(folder)).read(["query_id", "negative_id"])
        for folder in (mined.path / "negatives").iterdir()
    ]
    chosen = [tuple(row.values()) for table in negatives for row in table.to_pylist()]
    (row,) = swept(several, f"{CALIBRATED}={share}")
    assert row["leaked"] == row["false_negatives"] == len(gone & set(chosen))
    assert (row["hidden"], row["hidden_queries"]) == (QUERIES, QUERIES)
    assert row["held_out_negatives"] == len(chosen)
    assert row["leak"] == row["leaked"] / QUERIES
    assert row["leak_low"] <= row["leak"] <= row["leak_high"]


def test_the_leak_falls_as_the_threshold_does(several: Run) -> None:
    rows = swept(several, f"{CALIBRATED}=0.1,0.5,0.9,1.0")
    leaked = [row["leaked"] for row in rows]
    assert leaked == sorted(leaked, reverse=True)
    assert leaked[0] > leaked[-1]


def test_rows_do_not_depend_on_the_cut_into_blocks(base: Path, several: Run) -> None:
    cut = collection_run(base, "cut", QRELS, "runner.block_size=5", alone=True)
    options = (f"{CALIBRATED}=0.3,0.9", "sampling.method=contrast,uniform")
    assert swept(cut, *options) == swept(several, *options)


def test_several_options_make_a_grid(several: Run) -> None:
    rows = swept(several, f"{CALIBRATED}=0.3,0.9", "sampling.method=top,mmr")
    assert [list(row["settings"].values()) for row in rows] == [
        [0.3, "top"],
        [0.3, "mmr"],
        [0.9, "top"],
        [0.9, "mmr"],
    ]
    alone = swept(several, "sampling.method=mmr", f"{CALIBRATED}=0.9")
    assert {**alone[0], "settings": 0} == {**rows[3], "settings": 0}
    assert sweep_table(rows).row_count == 4


def test_a_run_with_one_positive_a_query_has_no_leak(base: Path, tmp_path: Path) -> None:
    single = collection_run(base, "single", QRELS[::3])
    rows = swept(single, f"{CALIBRATED}=0.5")
    assert (rows[0]["hidden"], rows[0]["leak"], rows[0]["leak_high"]) == (0, None, None)
    assert "no query has two known positives" in notes(rows)[0]
    json.dumps(rows, allow_nan=False)
    with pytest.raises(DataError, match="no query has two known positives"):
        write_plot(tmp_path / "leak.svg", rows)


@pytest.mark.parametrize("text", ["judge_relative_margin", "a.b", "a=1", "a.b=", ".b=1", "a.=1"])
def test_a_grid_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"POLICY\.PARAMETER"):
        parse_grid([text])


def test_a_value_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a YAML value"):
        parse_grid(["sampling.method=[top"])


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"hub_cap\.max_queries is given twice"):
        parse_grid(["hub_cap.max_queries=1", "policies.hub_cap.max_queries=2"])


def test_a_grid_has_at_most_200_points() -> None:
    numbers = ",".join(map(str, range(1, 21)))
    options = [f"hub_cap.max_queries={numbers}", "sampling.temperature=" + numbers[:20]]
    assert len(parse_grid(options)) == 200
    with pytest.raises(ConfigError, match=r"400 points \(20 x 20\).*at most 200"):
        parse_grid([options[0], f"sampling.temperature={numbers}"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("margin.x=1", "has no policy margin; it has known_positive"),
        ("judge_calibrated_threshold.share=1", "known keys: positives_above, threshold"),
        (f"{CALIBRATED}=2", "judge_calibrated_threshold.positives_above: .*less than or equal"),
        ("sampling.methods=top", r"sampling\.methods: no such key; known keys: method"),
        ("sampling.method=best", "sampling.method: Input should be"),
        ("tiers.soft.quota=1", "no tier soft; it has hard, rest"),
        ("tiers.hard=1", "no such key; known keys: quota"),
        ("tiers.hard.size=1", "no such key; known keys: quota"),
        ("tiers.hard.quota.x=1", "no such key; known keys: quota"),
        ("tiers.hard.sampling.x=1", "no such key; known keys: method"),
        ("tiers.hard.max_ratio=0.5", "min_ratio 0.8 is not below max_ratio 0.5"),
        ("tiers.hard.source=bm25", "wants source bm25, and it is off"),
    ],
)
def test_what_a_run_does_not_know_is_named(several: Run, option: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        swept(several, option)


def test_a_run_whose_stage_outputs_are_gone_is_refused(tmp_path: Path, several: Run) -> None:
    copy = tmp_path / "runs" / several.run_id
    copy.mkdir(parents=True)
    manifest = json.loads(json.dumps(several.manifest))
    manifest["config"]["output"]["workdir"] = None
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StorageError, match=r"no longer holds judged.*mine the run again"):
        swept(Run(copy), f"{CALIBRATED}=0.5")


def test_pairs_without_a_score_pass_and_are_told(base: Path) -> None:
    """A judge that was never asked about a pair cannot drop it."""
    run = collection_run(base, "lazy", QRELS, alone=True)
    before = swept(run, f"{CALIBRATED}=1.0")
    _forget_scores(Dataset(str(run.artifacts()["judged"])))
    rows = swept(run, f"{CALIBRATED}=1.0")
    assert before[0]["unjudged"] == 0
    assert rows[0]["dropped"] < before[0]["dropped"]
    assert rows[0]["unjudged"] == sum(rows[0]["tiers"].values())
    assert re.search(r"up to \d+ chosen negatives have no judge score", notes(rows)[-1])


def _forget_scores(judged: Dataset) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for name in judged.part_names():
        table = judged.read_part(name)
        kept = pc.if_else(table["is_positive"], table["judge_score"], pa.scalar(None, pa.float32()))
        at = table.schema.get_field_index("judge_score")
        pq.write_table(table.set_column(at, table.schema.field(at), kept), judged.directory / name)


def test_the_command_loads_no_model(several: Run, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from negmine.jobs.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n"
        "    models = {'torch', 'transformers', 'sentence_transformers', 'apache_beam'}\n"
        "    assert not models & set(sys.modules), models & set(sys.modules)\n"
    )
    plot = tmp_path / "leak.svg"
    options = ["--policy", f"{CALIBRATED}=0.3,0.9", "--set", "sampling.method=top,contrast"]
    options += ["--plot", str(plot)]
    ended = subprocess.run(
        [sys.executable, "-c", code, "sweep", str(several.path), *options, "--json"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(ended.stdout)
    assert len(rows) == 4
    assert plot.read_text() == svg(rows)


def test_the_table_shows_every_figure_whatever_the_width(several: Run) -> None:
    ended = negmine("sweep", str(several.path), "--policy", f"{CALIBRATED}=0.3,0.9")
    assert ended.code == 0, ended.err
    title, heading, *lines, note = ended.out.rstrip().split("\n")
    assert title.strip() == CALIBRATED
    assert {"positives_above", "hard", "rest", "S", "Δ", "N", "ECI", "leak"} < set(heading.split())
    assert [line.split()[0] for line in lines] == ["0.3", "0.9"]
    assert "…" not in ended.out
    assert note.startswith(
        "leak: share of 12 hidden positives that were taken for negatives, in 12"
    )

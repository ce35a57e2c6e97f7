"""Edited positives in a whole run: where they stand, what may drop them, what is told of them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from negmine.jobs.runs.published import Run, find_run
from negmine.jobs.workdir.layout import OF_SEVERAL
from tests.jobs.collections import digest, negmine, static_student, write_config
from tests.transforms.input_files import write_beir, write_lines

QUERIES, DOCUMENTS = 8, 24
CALIBRATED = "judge_calibrated_threshold.positives_above"
TIERS = {"hard": {"quota": 2}, "edited": {"quota": 1, "source": "edited"}}
WORDS = ("sola", "teren", "aquix", "venor", "luna", "solen", "terix", "aquor")


def _text(at: int) -> str:
    word, other = WORDS[at % len(WORDS)], WORDS[at // len(WORDS)]  # no edit is another document
    return f"In {1900 + at} the {word} tower of the town fell, and it was not built by {other}."


def _collection(folder: Path) -> Path:
    return write_beir(
        folder,
        [{"_id": f"d{at:02}", "text": _text(at)} for at in range(DOCUMENTS)],
        [
            {"_id": f"q{at}", "text": f"Which {WORDS[at]} tower of the town fell in {1900 + at}?"}
            for at in range(QUERIES)
        ],
        [(f"q{at}", f"d{at:02}", 1) for at in range(QUERIES)],
    )


def _config(base: Path, name: str, **sections: Any) -> str:
    values: dict[str, Any] = {
        "input": {"format": "beir", "path": str(base / "in")},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "sources": {"bm25": {"depth": 9}, "dense": {"depth": 9}, "random": None, "edited": {}},
        "judge": {"kind": "bi_encoder", "model": str(base / "student")},
        "tiers": TIERS,
        "output": {"path": str(base / name), "workdir": str(base / "work")},
    }
    return write_config(base / f"{name}.yaml", **{**values, **sections})


def _mined(config: str) -> Run:
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return find_run(str(Path(config).with_suffix("")))


def _rows(run: Run, name: str) -> list[dict[str, Any]]:
    return pq.read_table(run.path / name).to_pylist()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("edited")
    _collection(base / "in")
    static_student(base / "student")
    return base


@pytest.fixture(scope="module")
def run(base: Path) -> Run:
    return _mined(_config(base, "out"))


def test_the_data_sets_of_the_edits_are_those_that_the_stage_names(base: Path, run: Run) -> None:
    (folder,) = (base / "work" / "edit").glob("*/")
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set(OF_SEVERAL["edit"])


def test_every_query_whose_positive_can_be_edited_has_an_edited_negative(run: Run) -> None:
    rows = [row for row in _rows(run, "negatives") if row["tier"] == "edited"]
    made = [row for row in rows if row["sources"] == ["edited"]]
    assert {row["query_id"] for row in made} == {f"q{at}" for at in range(QUERIES)}
    for row in made:
        assert row["negative_id"].startswith(f"{row['positive_id']}#edited-date-")
        assert row["negative"] != row["positive"]
        year = row["positive"].split()[1]
        assert (
            year not in row["negative"]
            and row["negative"].split()[2:] == row["positive"].split()[2:]
        )
        assert row["dense_score"] is not None and row["bm25_rank"] is None


def test_the_data_set_of_edits_says_what_was_done_where(run: Run) -> None:
    texts = {f"d{at:02}": _text(at) for at in range(DOCUMENTS)}
    edits = _rows(run, "edits")
    assert {row["probe"] for row in edits} == {True, False}
    for row in edits:
        whole = texts[row["positive_id"]]
        assert whole[row["start"] : row["end"]] == row["original"]
        begun = whole[: row["start"]] + row["replacement"]
        assert row["text"].startswith(begun)
    served = {row["negative_id"] for row in _rows(run, "negatives") if row["sources"] == ["edited"]}
    assert served <= {row["negative_id"] for row in edits if not row["probe"]}


def test_no_other_source_finds_what_was_made(run: Run, base: Path) -> None:
    """The corpus is searched as if nothing had been made: same candidates, scores and ranks."""
    off = {"bm25": {"depth": 9}, "dense": {"depth": 9}, "random": None}
    without = _mined(_config(base, "off", sources=off, tiers={"hard": {"quota": 2}}))
    columns = ("query_id", "doc_id", "bm25_score", "bm25_rank", "dense_score", "dense_rank")

    def found(of: Run) -> set[tuple[object, ...]]:
        rows = [row for row in _rows(of, "ledger") if row["sources"] != ["edited"]]
        return {tuple(row[name] for name in columns) for row in rows}

    assert found(run) == found(without)
    assert all(row["sources"] == ["edited"] for row in _rows(run, "ledger") if "#" in row["doc_id"])
    hard = [{**row, "sources": None} for row in _rows(run, "negatives") if row["tier"] == "hard"]
    expected = [{**row, "sources": None} for row in _rows(without, "negatives")]
    assert hard == expected
    assert not (without.path / "edits").exists()
    assert "edit" not in without.manifest["timings"]


def test_neither_nearness_nor_the_judge_drops_an_edit_unless_asked(run: Run, base: Path) -> None:
    made = [row for row in _rows(run, "ledger") if row["sources"] == ["edited"]]
    assert made and all(row["positive_jaccard"] > 0.6 for row in made)
    assert {row["verdict"] for row in made} <= {"kept", "over_quota"}
    assert all(row["confirmed_negative"] and row["judge_score"] is not None for row in made)
    sources = {"bm25": {"depth": 9}, "dense": None, "random": None, "edited": {"judged": True}}
    strict = [{"judge_score": {"max": -1.0}}]
    judged = _mined(_config(base, "judged", sources=sources, policies=strict))
    made = [row for row in _rows(judged, "ledger") if row["sources"] == ["edited"]]
    assert {row["verdict"] for row in made} == {"judge_score"}


def test_an_edit_of_an_evaluation_document_is_dropped(base: Path) -> None:
    held = base / "held"
    folder = _collection(held / "in")
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq7\td00\t1\n")
    lines = (folder / "qrels" / "train.tsv").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.startswith("q7")) + "\n"
    (folder / "qrels" / "train.tsv").write_text(kept)
    static_student(held / "student")
    section = {"format": "beir", "path": str(folder), "evaluation_splits": ["dev"]}
    found = _mined(_config(held, "out", input=section, judge={"kind": "none"}))
    made = {r["verdict"] for r in _rows(found, "ledger") if r["doc_id"].startswith("d00#")}
    assert made == {"evaluation_document"}


def test_an_edit_with_the_text_of_an_evaluation_positive_is_dropped(base: Path) -> None:
    """Of pairs kept for evaluation, whose positives are no documents of the corpus."""
    folder = base / "pairs"
    pairs = [(f"Which {WORDS[at]} tower fell in {1900 + at}?", _text(at)) for at in range(QUERIES)]

    def mined(name: str, kept: list[str]) -> Run:
        asked = [(f"question {at}", text) for at, text in enumerate(kept)]
        for file, rows in ((folder / "train.jsonl", pairs), (folder / f"{name}.jsonl", asked)):
            write_lines(file, [{"query": query, "positive": text} for query, text in rows])
        section = {
            "format": "pairs",
            "path": str(folder / "train.jsonl"),
            "evaluation_pairs": [str(folder / f"{name}.jsonl")],
        }
        return _mined(_config(base, name, input=section, judge={"kind": "none"}))

    before = _rows(mined("unlike", ["nothing of the kind"]), "negatives")
    made = {row["negative_id"]: row["negative"] for row in before if row["sources"] == ["edited"]}
    run = mined("alike", [text.upper() for text in made.values()])
    assert made and not made.keys() & {row["negative_id"] for row in _rows(run, "negatives")}
    verdicts = {row["doc_id"]: row["verdict"] for row in _rows(run, "ledger")}
    assert {verdicts[name] for name in made} == {"evaluation_document"}


def test_a_query_that_is_a_document_is_known_beside_its_edits(base: Path) -> None:
    """What was made stands behind the corpus, whose identifiers are found all the same."""
    folder, names = base / "own", [f"a{at:02}" for at in range(12)]
    answers = names[1:] + names[:1]
    write_beir(
        folder,
        [{"_id": name, "text": _text(at)} for at, name in enumerate(names)],
        [
            {"_id": name, "text": f"Which {WORDS[at % 8]} tower of the town fell in {1900 + at}?"}
            for at, name in zip([*range(1, 12), 0], names, strict=True)
        ],
        [(name, answer, 1) for name, answer in zip(names, answers, strict=True)],
    )
    section = {"format": "beir", "path": str(folder), "queries_are_documents": True}
    run = _mined(_config(base, "owned", input=section, judge={"kind": "none"}))
    assert any(row["sources"] == ["edited"] for row in _rows(run, "negatives"))
    itself = [row for row in _rows(run, "ledger") if row["query_id"] == row["doc_id"]]
    assert {row["verdict"] for row in itself} == {"query_itself"} and len(itself) > 6


def test_the_bytes_do_not_depend_on_the_blocks(run: Run, base: Path) -> None:
    other = _config(base, "blocks", runner={"block_size": 3}, output={"path": str(base / "blocks")})
    assert digest(_mined(other).path) == digest(run.path)


def test_the_metrics_tell_how_the_student_takes_edits_and_probes(run: Run) -> None:
    rows = pq.read_table(run.path / "metrics.parquet").to_pylist()
    found = {(row["metric"], row["key"]): row for row in rows}
    fooled, edits = found["edit_fooled", "date"], _rows(run, "edits")
    above = [r["dense_score"] > r["positive_dense_score"] for r in edits if not r["probe"]]
    assert fooled["count"] == len(above)
    assert fooled["value"] == pytest.approx(sum(above) / len(above))
    drops = [
        row["positive_dense_score"] - row["dense_score"]
        for row in edits
        if row["operation"] == "repetition"
    ]
    assert found["probe_drop", "repetition"]["value"] == pytest.approx(
        sum(drops) / len(drops), abs=1e-6
    )
    assert not any(row["value"] for row in rows if row["metric"] == "near_duplicate_positive")


def test_an_edit_that_is_known_to_be_false_weighs_one(base: Path) -> None:
    found = _mined(_config(base, "weighed", weighting={"method": "true_negative"}))
    weights: dict[str, set[float]] = {"hard": set(), "edited": set()}
    for row in _rows(found, "negatives"):
        weights[row["tier"]].add(row["weight"])
    assert weights["edited"] == {1.0} != weights["hard"]
    rows = pq.read_table(found.path / "metrics.parquet").to_pylist()
    told = {
        row["key"]: row["value"]
        for row in rows
        if (row["metric"], row["tier"]) == ("weight", "edited")
    }
    assert told["mean"] == 1.0


def test_why_export_and_query_know_what_was_made(run: Run, base: Path) -> None:
    row = next(row for row in _rows(run, "negatives") if row["sources"] == ["edited"])
    told = negmine("why", str(run.path), row["query_id"], row["negative_id"])
    assert told.code == 0, told.err
    assert "edited rank" in told.out
    ids = _mined(
        _config(
            base,
            "ids",
            output={"path": str(base / "ids"), "workdir": str(base / "work"), "texts": "ids_only"},
        )
    )
    assert "text" not in _rows(ids, "edits")[0]
    out = base / "triplets.parquet"
    ended = negmine("export", str(ids.path), "--format", "triplet", "--output", str(out))
    assert ended.code == 0, ended.err
    assert row["negative"] in pq.read_table(out).column("negative").to_pylist()
    asked = negmine(
        "query", str(run.path), "SELECT operation, count(*) FROM edits GROUP BY ALL", "--json"
    )
    assert asked.code == 0, asked.err
    assert "date" in {found["operation"] for found in json.loads(asked.out)}


@pytest.mark.parametrize("decision", ["positive", "answers", "negative"])
def test_no_label_is_taken_that_names_an_edit(run: Run, tmp_path: Path, decision: str) -> None:
    row = next(row for row in _rows(run, "ledger") if row["sources"] == ["edited"])
    pair = {"query_id": row["query_id"], "doc_id": row["doc_id"], "decision": decision}
    file, labels = write_lines(tmp_path / "decided.jsonl", [pair]), tmp_path / "labels.jsonl"
    ended = negmine("relabel", str(run.path), str(file), "--output", str(labels))
    assert ended.code == 3 and not labels.exists()
    assert f"line 1: document '{row['doc_id']}' is made by sources.edited" in ended.err
    assert "put its text" in ended.err


def test_an_edit_that_is_true_is_taken_back_by_its_text(run: Run, base: Path) -> None:
    row = next(row for row in _rows(run, "negatives") if row["sources"] == ["edited"])
    folder = _collection(base / "true")
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "true", "text": row["negative"]}) + "\n")
    with (folder / "qrels" / "train.tsv").open("a") as qrels:
        qrels.write(f"{row['query_id']}\ttrue\t1\n")
    section = {"format": "beir", "path": str(folder)}
    texts = {
        (other["query_id"], other["negative"])
        for other in _rows(_mined(_config(base, "taken_back", input=section)), "negatives")
    }
    assert (row["query_id"], row["negative"]) not in texts


def test_a_config_without_a_tier_for_edits_says_what_to_add(base: Path) -> None:
    ended = negmine("mine", _config(base, "none", tiers={"hard": {"quota": 2}}))
    assert ended.code == 2
    assert "tiers.edited: {quota: 1, source: edited}" in ended.err


def test_an_audit_tells_how_the_student_takes_edits_without_serving_any(base: Path) -> None:
    file = base / "triplets.jsonl"
    rows = [
        {
            "anchor": f"Which {WORDS[at]} tower of the town fell in {1900 + at}?",
            "positive": _text(at),
            "negative": _text(at + QUERIES),
        }
        for at in range(QUERIES)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = (
        "--student",
        str(base / "student"),
        "--judge",
        "none",
        "--output",
        str(base / "audit"),
    )
    edited = ("sources.edited={}", "tiers.edited={quota: 0, source: edited}")
    sets = [word for setting in edited for word in ("--set", setting)]
    ended = negmine("audit", str(file), "--format", "triplet", *options, *sets)
    assert ended.code in (0, 1), ended.err
    run = find_run(str(base / "audit"))
    assert all(row["sources"] == ["given"] for row in _rows(run, "negatives"))
    metrics = {row["metric"] for row in pq.read_table(run.path / "metrics.parquet").to_pylist()}
    assert {"edit_fooled", "edit_drop", "probe_drop"} <= metrics
    assert "Edits, which no longer answer" in (run.path / "report.html").read_text()


def test_plan_makes_the_edits_and_reckons_with_them(base: Path) -> None:
    config = _config(base, "planned", output={"path": str(base / "planned")})
    ended = negmine("plan", config, "--json")
    assert ended.code == 0, ended.err
    stages = {stage["what"]: stage for stage in json.loads(ended.out)["stages"]}
    assert "retrieve edited" in stages
    assert stages["embed documents"]["rows"] > DOCUMENTS


def test_doctor_sweep_batches_and_refresh_know_edits(tmp_path: Path) -> None:
    _collection(tmp_path / "in")
    static_student(tmp_path / "student")
    run = _mined(_config(tmp_path, "out"))
    output = str(tmp_path / "out")
    swept = negmine("sweep", output, "--policy", f"{CALIBRATED}=0.3,0.9", "--json")
    assert swept.code == 0, swept.err
    made = sum(row["tier"] == "edited" for row in _rows(run, "negatives"))
    assert {point["tiers"]["edited"] for point in json.loads(swept.out)} == {made}
    planned = negmine("batches", output, "--size", "4")
    assert planned.code == 0, planned.err
    trained = static_student(tmp_path / "trained", trained=3)
    refreshed = negmine("refresh", output, "--student", str(trained))
    assert refreshed.code == 0, refreshed.err
    again = [row for row in _rows(find_run(output), "negatives") if row["tier"] == "edited"]
    assert len(again) == made and all("#edited-" in row["negative_id"] for row in again)
    checked = negmine("doctor", output)
    assert checked.code == 0, checked.out

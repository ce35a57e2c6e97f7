"""What no run writes as a negative, whatever its policies, labels or older settings say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.publish import publish
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import find_run
from negmine.jobs.sweep.run import sweep
from negmine.schemas.config.policy_list import PROMISES
from negmine.schemas.errors import DataError
from tests.jobs.collections import document, negmine, static_student, write_config
from tests.transforms.foreign.sets import write_jsonl
from tests.transforms.input_files import write_beir, write_lines

PROMISED = set(PROMISES)
QUERIES = 8
POSITIVE, TEXT, NEAR, IDENTIFIER, TESTED = "d0001", "d0041", "d0022", "q0003", "d0050"
"""Of query q0001 the positive and, for everybody, a test positive; documents that are the text of
q0001, nearly the text of q0002, and q0003 by their identifier."""


def own_text(at: int) -> str:
    if at == 1:
        return document(41).upper()
    return f"sola {document(at + 20)}" if at == 2 else f"luna venen {at}"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with a test split, queries among its documents, and labels of negatives."""
    base = tmp_path_factory.mktemp("promises")
    documents = [{"_id": f"d{i:04}", "text": document(i)} for i in range(60)]
    documents.append({"_id": IDENTIFIER, "text": "teren aquix 3"})
    asked = [{"_id": f"q{i:04}", "text": own_text(i)} for i in range(QUERIES)]
    asked.append({"_id": "t0", "text": "what the test asks"})
    pairs = [(f"q{i:04}", f"d{i:04}", 1) for i in range(QUERIES)]
    folder = write_beir(base / "in", documents, asked, pairs)
    write_lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", f"t0\t{TESTED}\t1"])
    labelled = [("q0001", TEXT), ("q0002", NEAR), ("q0003", IDENTIFIER), ("q0001", TESTED)]
    labels = [{"query_id": q, "doc_id": d, "decision": "negative"} for q, d in labelled]
    write_jsonl(base / "labels.jsonl", labels)
    static_student(base / "student")
    return base


def write(base: Path, file: Path, policies: Any, alone: bool = False, **inputs: Any) -> str:
    """A config; its work directory is that of all others if it is not `alone`."""
    return write_config(
        file,
        input={
            "format": "beir",
            "path": str(base / "in"),
            "evaluation_splits": ["test"],
            "queries_are_documents": True,
            **inputs,
        },
        student={"model": str(base / "student"), "device": "cpu"},
        judge={"kind": "none"},
        sources={"bm25": {"depth": 61}, "dense": {"depth": 61}, "random": {"count": 61}},
        sampling={"method": "top"},
        tiers={"all": {"quota": 61}},
        output={} if alone else {"workdir": str(base / "work")},
        **({} if policies is None else {"policies": policies}),
    )


def verdicts(output: Path) -> dict[tuple[str, str], str]:
    run = find_run(str(output)).path
    return {
        (row["query_id"], row["doc_id"]): folder.name.partition("=")[2]
        for folder in (run / "ledger").iterdir()
        for row in pq.read_table(folder, partitioning=None).to_pylist()
    }


OFF = {"near_duplicate_of_positive": False, "near_duplicate_of_negative": False}
ANOTHER = [{"rank_window": {"source": "dense", "min": 2}}, *reversed(PROMISES)]


@pytest.fixture(scope="module", params=[None, ANOTHER, OFF], ids=["default", "list", "off"])
def mined(base: Path, request: pytest.FixtureRequest) -> Path:
    """Output of a run with these policies, and labels that call what is promised negatives."""
    output = base / str(request.param_index)
    labels = str(base / "labels.jsonl")
    config = write(base, output / "run.yaml", request.param, labels=labels)
    ended = negmine("mine", config, "--output", str(output))
    assert ended.code == 0, ended.err
    return output


def test_promises_hold_under_any_policies_and_labels(mined: Path) -> None:
    found = verdicts(mined)
    assert found["q0001", POSITIVE] == "known_positive"
    own = {("q0001", TEXT), ("q0002", NEAR), ("q0003", IDENTIFIER)}
    assert {pair for pair, verdict in found.items() if verdict == "query_itself"} == own
    tested = {pair for pair, verdict in found.items() if verdict == "evaluation_document"}
    assert tested == {(f"q{i:04}", TESTED) for i in range(QUERIES)}
    rows = pq.read_table(find_run(str(mined)).path / "negatives").to_pylist()
    written = {(row["query_id"], row["negative_id"]) for row in rows}
    assert written and written.isdisjoint(own | tested)


@pytest.mark.parametrize("older", [False, True])
def test_a_sweep_keeps_the_promises_of_runs_that_did_not_list_them(
    mined: Path, older: bool
) -> None:
    """Every candidate that no policy drops is a negative here, so their number tells."""
    run = find_run(str(mined))
    if older:
        listed = run.manifest["config"]["policies"]
        kept_entries = [entry for entry in listed if not PROMISED & entry.keys()]
        assert len(kept_entries) == len(listed) - len(PROMISES)
        run.manifest["config"]["policies"] = kept_entries
    (row,) = sweep(run, [{"sampling.method": "top"}])
    kept = sum(verdict == "kept" for verdict in verdicts(mined).values())
    assert row["tiers"] == {"all": kept}


@pytest.mark.parametrize("broken", PROMISES)
def test_publishing_refuses_what_breaks_a_promise(base: Path, tmp_path: Path, broken: str) -> None:
    """The last guard asks the config, not the stages before it."""
    if broken == "same_text":
        copied = write_beir(tmp_path / "in", qrels=["q1\td1\t1"])
        lines = (copied / "corpus.jsonl").read_text().splitlines()
        text = json.loads(lines[0])
        lines.append(json.dumps({**text, "_id": "copy"}))
        write_lines(copied / "corpus.jsonl", lines)
        inputs: dict[str, Any] = {"path": str(copied), "evaluation_splits": []}
    else:
        inputs = {}
    config = load_config(write(base, tmp_path / "c.yaml", [], **inputs), (), str(tmp_path / "out"))
    miner = MiningRun(config)
    # A positive has its own text, so that same_text alone would keep it out.
    lost = {broken, "same_text"}
    kept = tuple(policy for policy in miner.selection.policies if policy.name not in lost)
    miner.__dict__["selection"] = replace(miner.selection, policies=kept)
    miner.run_until("score")
    with pytest.raises(DataError, match="promised never to be negatives"):
        publish(miner, "r")
    assert not (tmp_path / "out" / "current").exists()
    assert [path.name for path in (tmp_path / "out" / "runs").iterdir()] == []


def test_own_documents_that_are_positives_stay_positives_and_are_told(
    base: Path, tmp_path: Path
) -> None:
    """Questions and their duplicates: the qrels win, whatever the texts."""
    texts = [document(i) for i in range(12)]
    folder = write_beir(
        tmp_path / "in",
        [{"_id": f"n{i}", "text": text} for i, text in enumerate(texts)],
        [{"_id": f"n{i}", "text": text} for i, text in enumerate(texts[:4])],
        [("n0", "n0", 1), ("n1", "n9", 1), ("n2", "n2", 1), ("n3", "n8", 1)],
    )
    inputs = {"path": str(folder), "evaluation_splits": [], "queries_are_documents": "auto"}
    ended = negmine(
        "mine", write(base, tmp_path / "c.yaml", None, **inputs), "--output", str(tmp_path / "out")
    )
    assert ended.code == 0, ended.err
    assert "2 positives are the query itself" in " ".join(ended.out.split())
    found = verdicts(tmp_path / "out")
    assert {pair: found[pair] for pair in [(f"n{i}", f"n{i}") for i in range(4)]} == {
        ("n0", "n0"): "known_positive",
        ("n1", "n1"): "query_itself",
        ("n2", "n2"): "known_positive",
        ("n3", "n3"): "query_itself",
    }


@pytest.fixture(scope="module")
def older(base: Path) -> Path:
    """A run as the version before wrote it: fewer columns, and another word for the query."""
    output = base / "older"
    config = write(base, output / "run.yaml", OFF, alone=True)
    command = ("mine", config, "--output", str(output))
    for name in ("older", "newer"):
        ended = negmine(*command, "--set", f"output.run_id={name}")
        assert ended.code == 0, ended.err
    run = find_run(f"{output}:older")
    ledger = run.path / "ledger"
    (ledger / "verdict=query_itself").rename(ledger / "verdict=same_text_as_query")
    for file in [*ledger.rglob("*.parquet"), *run.artifacts()["judged"].glob("*.parquet")]:
        table = pq.read_table(file, partitioning=None)
        judged = "random_rank" in table.column_names and file.is_relative_to(ledger) is False
        newer = {"same_id_as_query", "query_jaccard"}
        newer |= set() if judged else {"random_rank", "given_rank"}
        pq.write_table(table.drop_columns(sorted(newer)), file)
    manifest = json.loads((run.path / "manifest.json").read_text())
    listed = [{"known_positive": {}}, {"same_text": {}}]
    manifest["config"]["policies"] = manifest["policies"] = listed
    del manifest["config"]["input"]["queries_are_documents"]
    counted = manifest["summary"]["verdicts"]
    counted["same_text_as_query"] = counted.pop("query_itself")
    del manifest["summary"]["positives_that_are_the_query"]
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    return output


@pytest.mark.parametrize(
    "command",
    [
        ("show", "OUT"),
        ("why", "OUT", "q0001"),
        ("why", "OUT", "q0001", TEXT),
        ("query", "OUT", "drop_reasons"),
        ("query", "OUT", "SELECT * FROM ledger WHERE verdict = 'same_text_as_query'"),
        ("sweep", "OUT", "--policy", "sampling.method=top,uniform"),
        ("compare", "OUT", "NEWER"),
        ("export", "OUT", "--format", "triplet", "-o", "exported.parquet"),
    ],
    ids=" ".join,
)
def test_a_run_of_the_version_before_opens_everywhere(
    older: Path, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = {"OUT": f"{older}:older", "NEWER": f"{older}:newer"}
    ended = negmine(*(runs.get(word, word) for word in command))
    assert ended.code == 0, ended.err
    if command[0] in {"show", "why"}:
        assert "same_text_as_query" in "".join(ended.out.split())

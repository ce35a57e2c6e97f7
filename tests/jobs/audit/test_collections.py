"""`negmine audit` on SciFact, and on what the miner of sentence-transformers writes."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.audit.planted import audited, clean, counts
from tests.jobs.collections import negmine, small_run
from tests.transforms.foreign.sets import Mined, flagembedding, n_tuples, read_jsonl, write_jsonl

SCIFACT = Path(__file__).parents[4] / "shared" / "data" / "scifact"
QUERIES = 40
LONG = pytest.mark.long


def rows_of_scifact() -> tuple[list[Mined], dict[str, str], dict[str, list[str]]]:
    """40 queries with four other queries' positives each, texts by id, positives by query id."""
    texts = {
        row["_id"]: f"{row['title']} {row['text']}".strip()
        for row in read_jsonl(SCIFACT / "corpus.jsonl")
    }
    asked = {row["_id"]: row["text"] for row in read_jsonl(SCIFACT / "queries.jsonl")}
    positives: dict[str, list[str]] = {}
    for line in (SCIFACT / "qrels" / "train.tsv").read_text().splitlines()[1:]:
        query, document, _ = line.split("\t")
        positives.setdefault(query, []).append(document)
    several = [query for query, known in positives.items() if len(known) > 1]
    chosen = [*several[:2], *(q for q in positives if q not in several)][:QUERIES]
    pool = [document for query in [*positives][-200:] for document in positives[query]]
    rows = []
    for at, query in enumerate(chosen):
        free = [d for d in dict.fromkeys(pool[at * 4 :]) if d not in positives[query]][:4]
        rows.append(Mined(asked[query], texts[positives[query][0]], tuple(texts[d] for d in free)))
    return rows, texts, {asked[query]: positives[query] for query in chosen}


@pytest.mark.long
@pytest.mark.skipif(not SCIFACT.is_dir(), reason="SciFact is not here")
def test_scifact_with_planted_defects(tmp_path: Path) -> None:
    rows, texts, positives = rows_of_scifact()
    beside = ("--corpus", str(SCIFACT), "--queries", str(SCIFACT))
    options = (*beside, "--qrels", str(SCIFACT / "qrels" / "train.tsv"))
    path = write_jsonl(tmp_path / "clean.jsonl", flagembedding(rows))
    model = Path("all-MiniLM-L6-v2")
    found = audited(model, path, "flagembedding", tmp_path / "out", *options)
    assert found["clean"], found["findings"]

    sibling = texts[positives[rows[0].query][1]]
    copy = rows[3].positive.upper() + " "
    near = rows[5].positive + " Further words."
    put: dict[int, tuple[str, ...]] = {
        0: (*rows[0].negatives[:3], sibling),
        3: (copy, *rows[3].negatives[1:]),
        5: (*rows[5].negatives[:2], near, rows[5].negatives[3]),
        7: (*rows[7].negatives[:3], rows[7].negatives[0]),
    }
    hub = rows[-1].positive
    spoilt = [row._replace(negatives=put.get(at, row.negatives)) for at, row in enumerate(rows)]
    spoilt = [
        row._replace(negatives=(*row.negatives[:1], hub, *row.negatives[2:]))
        if 10 <= at < 25
        else row
        for at, row in enumerate(spoilt)
    ]
    path = write_jsonl(tmp_path / "spoilt.jsonl", flagembedding(spoilt))
    fixed = tmp_path / "fixed.jsonl"
    found = audited(model, path, "flagembedding", tmp_path / "out", *options, "--fix", str(fixed))
    assert counts(found) == {
        "known_positive": 2,
        "near_duplicate_of_positive": 1,
        "repeated": 1,
    }, "with the corpus a copy of a positive in capitals has the positive's own identifier"
    by_reason = {entry["reason"]: entry for entry in found["findings"]}
    assert by_reason["known_positive"]["details"]["judged"] == 1
    assert [(h["document"], h["queries"]) for h in found["hubs"]] == [(hub[:80], 15)]
    again = audited(model, fixed, "flagembedding", tmp_path / "out", *options)
    assert not counts(again)
    assert len(again["hubs"]) == 1


@pytest.mark.parametrize("output_format", [pytest.param("triplet", marks=LONG), "n-tuple"])
def test_what_sentence_transformers_mines_is_read_from_every_container(
    output_format: str, student: Path, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import mine_hard_negatives

    rows = clean()
    pairs = datasets.Dataset.from_dict(
        {"anchor": [r.query for r in rows], "positive": [r.positive for r in rows]}
    )
    mined = mine_hard_negatives(
        pairs,
        SentenceTransformer(str(student), device="cpu"),
        corpus=[text for row in rows for text in row.negatives],
        num_negatives=3,
        range_max=20,
        output_format=output_format,
        output_scores=True,
        verbose=False,
    )
    format = output_format.replace("-", "_")
    mined.to_parquet(tmp_path / "mined.parquet")
    mined.to_json(tmp_path / "mined.jsonl")
    mined.save_to_disk(tmp_path / "mined")
    results = []
    for name in ("mined.parquet", "mined.jsonl", "mined"):
        found = audited(student, tmp_path / name, format, tmp_path / f"out-{name}")
        results.append([counts(found), found["counts"], found["eci"], found["hubs"]])
    assert results[0] == results[1] == results[2]
    negatives = len(mined) * (3 if format == "n_tuple" else 1)
    assert results[0][1]["negatives"] == negatives
    known = {(row.query, row.positive) for row in rows}
    served = sum(
        (record["anchor"], record[name]) in known
        for record in mined
        for name in mined.column_names
        if name.startswith("negative")
    )
    assert results[0][0].get("known_positive", 0) == served


def test_flagembedding_serves_sibling_positives(student: Path, tmp_path: Path) -> None:
    """FlagEmbedding mines row by row, so that the rows of one query hold each other's positive."""
    rows = clean()
    rows[1] = Mined(rows[0].query, rows[1].positive, (rows[0].positive, *rows[1].negatives[1:]))
    rows[0] = rows[0]._replace(negatives=(rows[1].positive, *rows[0].negatives[1:]))
    records = [
        {**record, "pos_scores": [1.0], "prompt": "Represent this"}
        for record in flagembedding(rows)
    ]
    path = write_jsonl(tmp_path / "f.jsonl", records)
    found = audited(student, path, "flagembedding", tmp_path / "out")
    assert counts(found) == {"known_positive": 2}
    assert found["findings"][0]["details"]["of_another_row"] == 2


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = small_run(tmp_path_factory.mktemp("mined"))
    assert negmine("mine", config).code == 0
    return Path(config).parent / "out"


@pytest.mark.parametrize(
    "format",
    [pytest.param("triplet", marks=LONG), pytest.param("n_tuple", marks=LONG), "flagembedding"],
)
def test_our_own_exports_are_clean(mined: Path, student: Path, tmp_path: Path, format: str) -> None:
    options = ("--n", "4") if format == "n_tuple" else ()
    path = tmp_path / f"export.{'jsonl' if format == 'flagembedding' else 'parquet'}"
    ended = negmine("export", str(mined), "-f", format, "-o", str(path), *options)
    assert ended.code == 0, ended.err
    assert audited(student, path, format, tmp_path / format)["clean"]


def test_nulls_that_fix_leaves_fit_a_schema_without_nulls(student: Path, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = n_tuples(clean())
    records[4]["negative_2"] = records[4]["positive"]
    table = pa.Table.from_pylist(records)
    schema = pa.schema([field.with_nullable(False) for field in table.schema])
    pq.write_table(table.cast(schema), tmp_path / "f.parquet", compression="gzip")
    fixed = tmp_path / "fixed.parquet"
    options = ("--fix", str(fixed), "--keep-short")
    audited(student, tmp_path / "f.parquet", "n_tuple", tmp_path / "out", *options)
    found = pq.read_table(fixed)
    assert found["negative_4"].null_count == 1
    assert found.num_rows == len(records)
    assert pq.read_metadata(fixed).row_group(0).column(0).compression == "GZIP"
    removed = (tmp_path / "fixed.parquet.removed.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in removed] == [5]

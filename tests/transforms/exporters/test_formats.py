"""Every format holds every positive and every negative of every query, and says what it lacks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters import FOLDERS, Options, Source, every_format, export
from negmine.transforms.exporters.reading import block, rows
from tests.builders import QUOTAS, TIERS, Layout, document_text, positive_id, query_text
from tests.transforms.exporters.reading_back import READERS, Sets, plain, read_back
from tests.transforms.exporters.test_exporters import source_of

SEVERAL = Layout(positives=3)
WIDE = ("n_tuple", "pylate", "pylate_kd", "colbert")
"""Formats whose rows have one width."""
FORMATS = [name for name in READERS if name != "hf, triplets"]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out", SEVERAL)


def place(name: str, folder: Path, stem: str = "x") -> Path:
    """Where to write a format: a file of its usual ending, or a folder."""
    return folder / stem if name in FOLDERS else folder / f"{stem}{every_format()[name].SUFFIX}"


def options_of(name: str, **others: object) -> Options:
    short = {"short": "repeat"} if name in WIDE else {}
    return Options(**short, **others)  # type: ignore[arg-type]


def expected(name: str, tiers: tuple[str, ...] = TIERS) -> Sets:
    """What a run of eight queries and three positives each holds; the last lacks a random one."""
    found: Sets = {}
    for at in range(8):
        above = [document_text(positive_id(at, number)) for number in (1, 2, 3)]
        below = [
            document_text(f"d{at:03d}-{tier}-{rank}")
            for tier in tiers
            for rank in range(1, QUOTAS[tier] + 1)
            if not (tier == "random" and at == 7)
        ]
        found[plain(query_text(at))] = (list(map(plain, above)), list(map(plain, below)))
    if name == "qrels":
        return {query: (above, []) for query, (above, _) in found.items()}
    return found


def test_every_format_is_read_back_here() -> None:
    apart = {"lists", "lighton"}  # tests/jobs/export has those, with real lists and ledgers
    assert set(FORMATS) | apart == set(every_format())


@pytest.mark.parametrize("name", READERS)
def test_all_positives_and_negatives_are_there_in_their_order(
    name: str, source: Source, tmp_path: Path
) -> None:
    format = name.partition(",")[0]
    report = export(source, format, place(format, tmp_path), options_of(format))
    assert report.path is not None
    assert read_back(name, report.path) == expected(name)
    assert report.positives.told("positives") == "positives: 24 of 24"
    assert report.queries.told("queries") == "queries: 8 of 8"


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_depend_neither_on_blocks_nor_on_parts_nor_on_where_texts_are_kept(
    name: str, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_of(name)
    whole = export(source, name, place(name, tmp_path, "whole"), options)
    other = source_of(tmp_path / "b", replace(SEVERAL, parts=4, texts="ids_only"))
    monkeypatch.setattr(rows, "_ROWS_PER_JOINED_BLOCK", 9)
    monkeypatch.setattr(block, "ROWS", 5)
    small = export(other, name, place(name, tmp_path, "small"), options)
    assert whole.path is not None and small.path is not None
    assert small.rows == whole.rows
    assert read_back(name, whole.path) == read_back(name, small.path)
    texts = [p for p in whole.path.rglob("*") if p.is_file()] or [whole.path]
    for file in texts:
        same = small.path / file.relative_to(whole.path) if whole.path.is_dir() else small.path
        if file.suffix != ".parquet" and file.name not in ("export.json", "README.md"):
            assert same.read_bytes() == file.read_bytes(), file.name


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "qrels"])
def test_tiers_can_be_chosen(name: str, source: Source, tmp_path: Path) -> None:
    report = export(source, name, place(name, tmp_path), options_of(name, tiers=("hard",)))
    assert report.path is not None
    assert read_back(name, report.path) == expected(name, ("hard",))


@pytest.mark.parametrize("name", WIDE)
def test_formats_of_one_width_leave_out_and_count_queries_that_have_fewer(
    name: str, source: Source, tmp_path: Path
) -> None:
    report = export(source, name, place(name, tmp_path), Options())
    assert report.queries.told("queries") == "queries: 7 of 8: 1 with fewer than n negatives"
    assert report.details["n"] == 4


def test_rows_of_a_label_know_grades(source: Source, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    export(source, "bce", tmp_path / "b.parquet", Options())
    export(source, "labeled_list", tmp_path / "l.parquet", Options())
    assert pq.read_table(tmp_path / "b.parquet")["label"].to_pylist()[:4] == pytest.approx(
        [1.0, 2 / 3, 1 / 3, 0.0]
    )
    assert pq.read_table(tmp_path / "l.parquet")["labels"][0].as_py() == [3, 2, 1, 0, 0, 0, 0]
    lines = export(source, "qrels", tmp_path / "q.qrels", Options())
    assert lines.path is not None
    assert lines.path.read_text().splitlines()[:2] == ["q000 0 d000 3", "q000 0 d000-positive-2 2"]
    assert lines.grades == {"in": 24, "out": 24}


def test_a_trec_run_is_sorted_by_its_scores(source: Source, tmp_path: Path) -> None:
    export(source, "trec_run", tmp_path / "x.run", Options())
    found: dict[str, list[tuple[int, float]]] = {}
    for line in (tmp_path / "x.run").read_text().splitlines():
        query, zero, _, rank, score, tag = line.split()
        assert (zero, tag) == ("Q0", "negmine")
        found.setdefault(query, []).append((int(rank), float(score)))
    assert len(found) == 8
    for ranked in found.values():
        assert [rank for rank, _ in ranked] == list(range(1, len(ranked) + 1))
        scores = [score for _, score in ranked]
        assert scores == sorted(scores, reverse=True)


def test_scores_of_numbered_lines_are_the_documents_own(source: Source, tmp_path: Path) -> None:
    export(source, "colbert", tmp_path / "c", Options(scores=True, n=1))
    first = json.loads((tmp_path / "c" / "triples.jsonl").read_text().split("\n")[0])
    assert first == [0, [0, 6.0], [3, pytest.approx(3.9)]]
    ids = (tmp_path / "c" / "pids.tsv").read_text().split("\n")
    assert (ids[0], ids[3]) == ("0\td000", "3\td000-hard-1")


def test_instructions_go_where_a_format_has_a_place(source: Source, tmp_path: Path) -> None:
    prompted = replace(source, query_prompt="query: ", document_prompt="passage: ")

    def first(name: str, options: Options) -> dict[str, object]:
        report = export(prompted, name, tmp_path / "x.jsonl", options)
        assert report.path is not None
        line = report.path.read_text(encoding="utf-8").split("\n")[0]
        return dict(json.loads(line))

    system = {"role": "system", "content": "query: "}
    user = {"role": "user", "content": query_text(0)}
    assert first("ms_swift", Options())["messages"] == [system, user]
    assert first("ms_swift", Options(instruction=""))["messages"] == [user]
    assert first("flagembedding", Options())["prompt"] == "query: "
    assert first("flagembedding", Options(prompt="Find: "))["prompt"] == "Find: "
    assert first("flagembedding_reranker", Options(instruction="Rank"))["query_prompt"] == "Rank"
    export(prompted, "automodel", tmp_path / "a", Options())
    facts = json.loads((tmp_path / "a" / "corpus" / "merlin_metadata.json").read_text())
    assert facts["query_instruction"] == "query: "
    assert facts["passage_instruction"] == "passage: "
    with pytest.raises(ConfigError, match="--instruction does not apply to triplet; it is for"):
        export(prompted, "triplet", tmp_path / "x.jsonl", Options(instruction="x"))


def test_ms_swifts_limits_are_kept_and_said(source: Source, tmp_path: Path) -> None:
    few = export(source, "ms_swift_reranker", tmp_path / "x.jsonl", Options(n=2))
    assert "15 negatives beyond the first n of their query are left out" in few.notes
    many = export(source, "ms_swift_reranker", tmp_path / "x.jsonl", Options(n=9))
    assert "set MAX_NEGATIVE_SAMPLES=9 to use all" in many.notes[0]
    assert few.rows == many.rows == 24


def test_names_for_lightning_ir_have_one_dot(source: Source, tmp_path: Path) -> None:
    dotted = replace(source, run_id="2026.1Z")
    report = export(dotted, "lightning_ir", f"{tmp_path}/", Options())
    assert report.path == tmp_path / "2026-1Z-lightning_ir.parquet"
    with pytest.raises(ConfigError, match=r"write a-b\.parquet"):
        export(dotted, "lightning_ir", tmp_path / "a.b.parquet", Options())


def test_identifiers_that_would_break_a_line_are_refused(source: Source, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for part in (source.run / "positives").glob("*.parquet"):
        table = pq.read_table(part)
        at = table.schema.get_field_index("positive_id")
        ids = [name.replace("-", " ") for name in table["positive_id"].to_pylist()]
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(ids)), part)
    for name in ("trec_run", "qrels"):
        with pytest.raises(DataError, match="'d000 positive 2' has white space in its identifier"):
            export(source, name, place(name, tmp_path), Options())

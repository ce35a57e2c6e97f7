"""Delimited text: a header is read by name, refused in words, or known not to be there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import check, read, sources
from negmine.transforms.readers.rows import Document, Judgement, Query, Row
from tests.transforms.input_files import config, ingest, rows, write_beir, write_lines

DOCUMENTS = [{"_id": f"d{i}", "text": f"a document of thing {i}"} for i in range(5)]
QUERIES = [{"_id": f"q{i}", "text": f"which thing is {i}"} for i in range(4)]
JUDGED = [(f"q{i}", f"d{i}", "2") for i in range(4)]


def beir(folder: Path, *lines: str, name: str = "train.tsv", **values: Any) -> dict[str, Any]:
    write_beir(folder, DOCUMENTS, QUERIES, [], split="unused")
    (folder / "qrels" / "unused.tsv").unlink()
    write_lines(folder / "qrels" / name, lines)
    return {"format": "beir", "path": str(folder), "bad_rows": 0, **values}


def judged(made: dict[str, Any]) -> list[tuple[str, str, float | None]]:
    settings = config(**made)
    found = [
        row
        for source in sources(settings)
        if source.kind == "qrels"
        for row in read(source, settings, 1)
    ]
    assert all(isinstance(row, Judgement) for row in found), found
    return [row[1:] for row in found if isinstance(row, Judgement)]


def lines_of(*columns: int, mark: str = "\t", quote: str = "") -> list[str]:
    return [mark.join(f"{quote}{row[c]}{quote}" for c in columns) for row in JUDGED]


GRADED = [(query, document, 2.0) for query, document, _ in JUDGED]
UNGRADED = [(query, document, None) for query, document, _ in JUDGED]
TREC = [f"{query} 0 {document} 2" for query, document, _ in JUDGED]
LAYOUTS = {
    "the usual order": (["query-id\tcorpus-id\tscore", *lines_of(0, 1, 2)], GRADED),
    "another order": (["corpus-id\tquery-id\tscore", *lines_of(1, 0, 2)], GRADED),
    "the grade first": (["score\tquery-id\tcorpus-id", *lines_of(2, 0, 1)], GRADED),
    "upper case": (["QUERY_ID\tDOC_ID\tGRADE", *lines_of(0, 1, 2)], GRADED),
    "spaces in names": (["Doc ID\tQuery Id\tRelevance", *lines_of(1, 0, 2)], GRADED),
    "byte-order mark": (["\ufeffcorpus-id\tquery-id\tscore", *lines_of(1, 0, 2)], GRADED),
    "carriage returns": (["corpus-id\tquery-id\tscore\r", *lines_of(1, 0, 2, mark="\t")], GRADED),
    "quoted": (['"corpus-id"\t"query-id"\t"score"', *lines_of(1, 0, 2, quote='"')], GRADED),
    "cut at spaces": (["corpus-id query-id score", *lines_of(1, 0, 2, mark=" ")], GRADED),
    "no grade": (["corpus-id\tquery-id", *lines_of(1, 0)], UNGRADED),
    "TREC's four": (TREC, GRADED),
    "TREC's four with tabs": ([line.replace(" ", "\t") for line in TREC], GRADED),
    "TREC's names": (["topic iter docno rel", *TREC], GRADED),
    "TREC without a grade": ([line[:-2].replace(" 0 ", " Q0 ") for line in TREC], UNGRADED),
    "TREC, 0, without a grade": ([line[:-2] for line in TREC], UNGRADED),
    "no header": (lines_of(0, 1, 2), GRADED),
    "no header, no grade": (lines_of(0, 1), UNGRADED),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_judgements_are_read_by_the_names_in_their_header(tmp_path: Path, layout: str) -> None:
    lines, expected = LAYOUTS[layout]
    assert judged(beir(tmp_path, *lines)) == expected


def test_judgements_in_csv_are_read_by_name(tmp_path: Path) -> None:
    lines = ["corpus-id,query-id,score", *lines_of(1, 0, 2, mark=",")]
    assert judged(beir(tmp_path, *lines, name="train.csv")) == GRADED


UNKNOWN = {
    "all names": (["eins\tzwei\tdrei"], r"train\.tsv line 1 reads 'eins', 'zwei', 'drei'"),
    "one name": (["query-id\tdokument\tscore"], "line 1 reads 'query-id', 'dokument', 'score'"),
    "the grade's name": (["query-id\tcorpus-id\tstrength"], "the unknown column 'strength'"),
    "a name twice": (["query-id\tcorpus-id\tcorpus-id"], "2 columns 'corpus-id'; rename"),
    "two names": (["query-id\tdokument"], "line 1 reads 'query-id', 'dokument'"),
}


@pytest.mark.parametrize("header", UNKNOWN)
def test_a_header_of_unknown_names_is_refused_by_name(tmp_path: Path, header: str) -> None:
    lines, message = UNKNOWN[header]
    with pytest.raises(DataError, match=message):
        check(config(**beir(tmp_path, *lines, *lines_of(0, 1, 2))))


def test_the_setting_says_what_a_first_line_of_unknown_names_is(tmp_path: Path) -> None:
    lines = ["eins\tzwei\tdrei", *lines_of(0, 1, 2)]
    assert judged(beir(tmp_path, *lines, header=True)) == GRADED
    with pytest.raises(DataError, match=r"line 1: grade 'drei' is not a number"):
        ingest(config(**beir(tmp_path, *lines, header=False)), tmp_path / "out")


def test_a_middle_column_of_zeros_is_not_taken_for_document_0(tmp_path: Path) -> None:
    lines = ["1 0 4", "2 0 3", "3 0 1"]
    with pytest.raises(DataError, match=r"the second is 0 .*Add the grade as a fourth column"):
        check(config(**beir(tmp_path, *lines)))
    assert judged(beir(tmp_path, *lines, "3 2 1"))[0] == ("1", "0", 4.0)


def test_every_row_has_the_columns_of_the_header(tmp_path: Path) -> None:
    made = beir(tmp_path, "query-id\tcorpus-id\tscore", "q0\td0\t1", "q1\td1", "q2\t0\td2\t1")
    with pytest.raises(DataError, match=r"line 3: 2 columns, expected 3 \(2 such rows\)"):
        ingest(config(**made), tmp_path / "out")


def test_identifiers_are_what_is_written(tmp_path: Path) -> None:
    ids = ["d0", "d0 ", " d0", "00", "0", "1e3", '"d0"', "a b", "D0"]
    documents = [{"_id": name, "text": f"text {at}"} for at, name in enumerate(ids)]
    folder = write_beir(tmp_path / "in", documents, QUERIES, [], split="train")
    fields = [name if name != '"d0"' else '"""d0"""' for name in ids]
    qrels = ["query-id\tcorpus-id\tscore", *(f"q0\t{name}\t1" for name in fields)]
    write_lines(folder / "qrels" / "train.tsv", qrels)
    counts = ingest(config(format="beir", path=str(folder), bad_rows=0), tmp_path)
    assert (counts["positives"], counts["dead_letters"]) == (len(ids), 0)


def test_an_identifier_with_a_space_too_many_is_unknown_and_named(tmp_path: Path) -> None:
    made = beir(tmp_path, "query-id\tcorpus-id\tscore", "q0\td0 \t1", "q1\td1\t1")
    with pytest.raises(DataError, match="unknown document 'd0 '"):
        ingest(config(**made), tmp_path / "out")


TEXTS = ["1\tone thing or another", "2\ttwo things or others", "3\tthree of the things"]
ONE, TWO = ("1", "one thing or another"), ("2", "two things or others")


def tsv(folder: Path, documents: list[str], **values: Any) -> dict[str, Any]:
    paths = {
        "documents": write_lines(folder / "collection.tsv", documents),
        "queries": write_lines(folder / "queries.tsv", ["7\twhat is that"]),
        "qrels": write_lines(folder / "qrels.tsv", ["7 0 1 1"]),
    }
    named = {kind: str(path) for kind, path in paths.items()}
    return {"format": "tsv", **named, "bad_rows": 0, **values}


def texts(made: dict[str, Any], kind: str = "documents") -> list[tuple[str, str]]:
    settings = config(**made)
    found: list[Row] = [
        row
        for source in sources(settings)
        if source.kind == kind
        for row in read(source, settings, 1)
    ]
    return [(row.id, row.text) for row in found if isinstance(row, Document | Query)]


HEADERS: dict[str, tuple[str, Callable[[str], str]]] = {
    "MS MARCO": ("pid\tpassage", str),
    "words": ("Document ID\tDocument text", str),
    "swapped": ("text\tid", lambda line: "\t".join(reversed(line.split("\t")))),
    "a title between": ("_id\ttitle\ttext", lambda line: line.replace("\t", "\t\t")),
    "quoted": ('"id"\t"text"', lambda line: '"' + line.replace("\t", '"\t"') + '"'),
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_of_texts_is_no_document(tmp_path: Path, header: str) -> None:
    names, change = HEADERS[header]
    found = texts(tsv(tmp_path, [names, *map(change, TEXTS)]))
    assert found[:2] == [ONE, TWO]
    assert len(found) == 3


@pytest.mark.parametrize(
    "header", ["Nr\tInhalt", "id\tInhalt", "docno\tbody_of_it", "passage_no\tpassage_body"]
)
def test_a_likely_header_is_refused_in_words(tmp_path: Path, header: str) -> None:
    made = tsv(tmp_path, [header, *TEXTS])
    with pytest.raises(DataError, match=r"collection\.tsv line 1 .*header: \[documents\]"):
        check(config(**made))
    assert texts({**made, "header": ["documents"]})[0] == ONE
    assert len(texts({**made, "header": ["documents"]}, "queries")) == 1
    assert texts({**made, "header": False})[0] == tuple(header.split("\t"))


def test_a_header_that_is_said_of_every_file_is_checked_of_each(tmp_path: Path) -> None:
    made = tsv(tmp_path, ["Nr\tInhalt", *TEXTS], header=True)
    with pytest.raises(DataError, match=r"queries\.tsv line 1 reads '7', .* \[documents\]"):
        check(config(**made))
    write_lines(tmp_path / "queries.tsv", ["Nr\tFrage", "7\twhat is that"])
    with pytest.raises(DataError, match=r"qrels\.tsv line 1 reads '7', '0', '1', '1'"):
        check(config(**made))
    write_lines(tmp_path / "qrels.tsv", ["Frage\tInhalt", "7\t1"])
    assert (texts(made)[0], texts(made, "queries")) == (ONE, [("7", "what is that")])
    assert judged(made) == [("7", "1", None)]


@pytest.mark.parametrize(
    "lines",
    [
        ["a\tshort", "b\tshort too", "c\talso"],
        ["abc\tone word and more", "d1\ttext", "title\tid"],
        ["q0\td0", "q1\td1", "q2\td2"],
        ["no 1\tthe query is here", "no 2\tid", "no 3\ttext"],
    ],
)
def test_data_without_a_header_loses_no_row(tmp_path: Path, lines: list[str]) -> None:
    assert texts(tsv(tmp_path, lines)) == [tuple(line.split("\t")) for line in lines]


def test_a_quote_that_is_no_csv_quote_stays(tmp_path: Path) -> None:
    lines = ['1\t"one" and more', '2\tends in "two"', '3\t"', '4\t"all ""of"" it"']
    found = texts(tsv(tmp_path, lines))
    assert [text for _, text in found] == ['"one" and more', 'ends in "two"', '"', 'all "of" it']


def test_csv_texts_may_span_lines_and_hold_commas(tmp_path: Path) -> None:
    made = tsv(tmp_path, [])
    file = tmp_path / "c.csv"
    file.write_bytes(b'id,text\r\n1,"one, ""two""\r\nthree"\r\n\r\n2,four\r\n')
    made["documents"] = str(file)
    assert texts(made) == [("1", 'one, "two"\r\nthree'), ("2", "four")]
    file.write_text("id;text\n1;one, two\n")
    assert texts(made) == [("1", "one, two")]
    file.write_bytes(b'id,text\n1,"one\n2,two\n')
    with pytest.raises(DataError, match=r"c\.csv: a quote opens in the record of line 2"):
        texts(made)
    file.write_bytes(b'id,text\n1,"one" two\n2,\xff\n3,three\n')
    assert texts(made) == [("3", "three")]


def test_a_header_in_one_of_several_files(tmp_path: Path) -> None:
    made = tsv(tmp_path, TEXTS[:1])
    write_lines(tmp_path / "c" / "1.tsv", ["id\ttext", TEXTS[0]])
    write_lines(tmp_path / "c" / "2.tsv", TEXTS[1:2])
    assert texts({**made, "documents": str(tmp_path / "c")}) == [ONE, TWO]
    write_lines(tmp_path / "c" / "1.tsv", ["text\tid", "\t".join(reversed(ONE))])
    with pytest.raises(DataError, match=r"1\.tsv has a header .* 2\.tsv has none"):
        check(config(**{**made, "documents": str(tmp_path / "c" / "*.tsv")}))


def columns(folder: Path, qrels: str, **values: Any) -> dict[str, Any]:
    paths = {
        "documents": write_lines(folder / "docs.jsonl", DOCUMENTS),
        "queries": write_lines(folder / "queries.jsonl", QUERIES),
    }
    named = {kind: str(path) for kind, path in paths.items()}
    return {"format": "jsonl", **named, "qrels": qrels, "bad_rows": 0, **values}


def test_text_judgements_beside_named_columns_have_headers_too(tmp_path: Path) -> None:
    tab = write_lines(tmp_path / "q.tsv", ["corpus-id\tquery-id\tscore", *lines_of(1, 0, 2)])
    comma = write_lines(tmp_path / "q.csv", ["corpus-id,query-id", *lines_of(1, 0, mark=",")])
    own = write_lines(tmp_path / "own.tsv", ["D\tQ\tR", *lines_of(1, 0, 2)])
    assert judged(columns(tmp_path, str(tab))) == GRADED
    assert judged(columns(tmp_path, str(comma))) == UNGRADED
    names = {"qrels_query_id": "Q", "qrels_doc_id": "D", "grade": "R"}
    assert judged(columns(tmp_path, str(own), **names)) == GRADED


def test_delimited_texts_beside_named_columns_need_a_header(tmp_path: Path) -> None:
    made = columns(tmp_path, str(write_lines(tmp_path / "q.tsv", lines_of(0, 1))))
    with_header = write_lines(tmp_path / "d.csv", ["text,doc_id", "a text,d0"])
    assert texts({**made, "documents": str(with_header)}) == [("d0", "a text")]
    without = write_lines(tmp_path / "e.csv", ["d0,a text"])
    with pytest.raises(DataError, match=r"its columns are 'd0', 'a text'\. Name it as input\.doc"):
        check(config(**{**made, "documents": str(without)}))


PAIRS = ["what is it that eats\tthe cat eats the fish", "who sings a song\tthe bird sings it all"]
PAIRS += ["where is the sea\tthe sea is behind us"]


def pairs(folder: Path, *lines: str, pool: list[str] | None = None) -> dict[str, Any]:
    made = {"format": "pairs", "path": str(write_lines(folder / "p.tsv", lines)), "bad_rows": 0}
    if pool is not None:
        made["pool"] = str(write_lines(folder / "pool.tsv", pool))
    return made


@pytest.mark.parametrize("header", ["query\tpositive", "Question\tAnswer", "anchor\tpositive"])
def test_a_header_of_pairs_is_no_pair(tmp_path: Path, header: str) -> None:
    assert len(texts(pairs(tmp_path, header, *PAIRS), "pairs")) == 2 * len(PAIRS)


def test_pairs_are_read_by_the_names_in_their_header(tmp_path: Path) -> None:
    made = pairs(tmp_path, "answer\tquestion", "\t".join(reversed(PAIRS[0].split("\t"))))
    ingest(config(**made), tmp_path / "out")
    assert [row["text"] for row in rows(tmp_path / "out", "queries")] == ["what is it that eats"]


@pytest.mark.parametrize("header", ["Frage\tAntwort", "sentence1\tsentence2", "title\tbody"])
def test_a_likely_header_of_pairs_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match=r"p\.tsv line 1 reads"):
        check(config(**pairs(tmp_path, header, *PAIRS)))


def test_what_stands_where_without_a_header_must_be_certain(tmp_path: Path) -> None:
    numbered = [f"{at}\t{line}" for at, line in enumerate(PAIRS)]
    with pytest.raises(DataError, match="the first two are not query and positive"):
        check(config(**pairs(tmp_path, *numbered)))
    assert texts(pairs(tmp_path, *[f"{line}\tno answer" for line in PAIRS]), "pairs")
    with pytest.raises(DataError, match=r"input\.pool: .* has 2 columns and no header"):
        check(config(**pairs(tmp_path, *PAIRS, pool=TEXTS)))
    made = pairs(tmp_path, *PAIRS, pool=["pid\tpassage", *TEXTS])
    assert ONE[1] in [text for _, text in texts(made)]

"""What `negmine audit` says to options and files that do not go together."""

from pathlib import Path

import pytest

from tests.jobs.audit.planted import clean, write
from tests.jobs.collections import negmine
from tests.transforms.foreign.sets import flagembedding, msmarco, write_jsonl

FILE = "mined.jsonl"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("-f", "msmarco"), 2, "--corpus and --queries"),
        (("-f", "flagembedding", "--qrels", "q.tsv"), 2, "--qrels needs --corpus"),
        (
            ("-f", "flagembedding", "--qrels", "q.tsv", "--corpus", "c"),
            2,
            "--qrels needs --queries",
        ),
        (("-f", "flagembedding", "--fix-suspected"), 2, "give --fix OUT too"),
        (("-f", "flagembedding", "--keep-short", "--fix", "x.jsonl"), 2, "--format n_tuple"),
        (("-f", "flagembedding", "--label-above", "1"), 2, "--format flagembedding has none"),
        (("-f", "flagembedding", "--fix", FILE), 2, "is there already"),
        (("-f", "flagembedding", "--fix", "x.parquet"), 2, "mined.jsonl is jsonl"),
        (("-f", "flagembedding", "--fix", "x.jsonl.gz"), 2, "name it .jsonl"),
        (("-f", "flagembedding", "--corpus", "nowhere"), 3, "--corpus: nowhere does not exist"),
        (("-f", "flagembedding", "--set", "judge.knd=x"), 2, "did you mean kind?"),
        (("-f", "flagembedding", "--judge", "oracle"), 2, "judge.kind"),
        (("-f", "tevatron"), 3, "mined.jsonl line 1: positive_passages is missing"),
        (("-f", "triplet"), 3, "mined.jsonl has 2 columns of text (query, type"),
    ],
)
def test_a_mistake_is_named(
    options: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(tmp_path / FILE, flagembedding(clean()))
    monkeypatch.chdir(tmp_path)
    ended = negmine("audit", FILE, "--output", str(tmp_path / "out"), *options)
    assert ended.code == code, ended.err
    assert said in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out" / "runs").exists()


def test_identifiers_without_a_text_are_named(tmp_path: Path) -> None:
    path, options = write(tmp_path, "msmarco", clean())
    write_jsonl(path, [*msmarco(clean(), str.upper, str.upper)])
    ended = negmine("audit", str(path), "-f", "msmarco", "--output", str(tmp_path / "o"), *options)
    assert ended.code == 3
    assert f"{path} line 1:" in ended.err
    assert "is not in --queries" in ended.err


def test_files_that_are_not_there_or_hold_nothing_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    for name, said in (("no.jsonl", "does not exist"), ("empty.jsonl", "holds no row")):
        path = str(tmp_path / name)
        ended = negmine("audit", path, "-f", "flagembedding", "--output", str(tmp_path / "o"))
        assert ended.code == 3
        assert f"{path} {said}" in ended.err


def test_a_copy_of_several_files_needs_distinct_names(tmp_path: Path) -> None:
    paths = [write_jsonl(tmp_path / n / FILE, flagembedding(clean())) for n in ("a", "b")]
    options = ("-f", "flagembedding", "--fix", str(tmp_path / "c"), "--output", str(tmp_path / "o"))
    ended = negmine("audit", *map(str, paths), *options)
    assert ended.code == 2
    assert "same name" in ended.err

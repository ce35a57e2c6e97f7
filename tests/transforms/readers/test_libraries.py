"""Readers of what is not files of ours: the standard library, and two optional libraries."""

import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.readers import check, input_files, read, sources
from negmine.transforms.readers.hf import Name, parse_name
from negmine.transforms.readers.rows import Bad, Document, Judgement, Query
from negmine.transforms.readers.stdlib import Function, choose, library_functions, module_functions
from tests.transforms.input_files import config

SOURCE = '''
def plain(a):
    """Add one
    to it.

    More that is not the query.
    """
    a += 1
    return a


class Box:
    @property
    def size(self):
        """Tell the size."""
        n = self.n
        return n

    @size.setter
    def size(self, value):
        """Set the size."""
        self.n = value
        self.m = value

    async def wait(self):
        """Wait for a while."""
        await self
        return 1


def short():
    """Only two."""
    x = 1
    return x


def one_line():
    """Return one thing only."""
    return 1


def undocumented():
    x = 1
    return x


def outer():
    """Hold an inner function."""

    def inner():
        """Never seen by anyone."""
        x = 1
        return x

    return inner
'''


def functions(tmp_path: Path) -> list[Function]:
    (tmp_path / "m.py").write_text(SOURCE)
    return list(module_functions(tmp_path / "m.py", "m"))


def test_documented_functions_are_named_by_module_and_qualified_name(tmp_path: Path) -> None:
    names = ["m:plain", "m:Box.size", "m:Box.size#2", "m:Box.wait", "m:outer"]
    assert [function.id for function in functions(tmp_path)] == names


def test_the_query_is_the_first_paragraph_and_the_document_has_no_docstring(
    tmp_path: Path,
) -> None:
    plain, size, *_ = functions(tmp_path)
    assert plain.query == "Add one to it."
    assert plain.document == "def plain(a):\n    a += 1\n    return a"
    expected = "@property\ndef size(self):\n    n = self.n\n    return n"
    assert size.document == expected
    assert textwrap.dedent(size.document) == size.document


def test_tests_and_foreign_packages_are_skipped_and_broken_files_passed_over(
    tmp_path: Path,
) -> None:
    for name in ("test", "site-packages", "pkg/tests", "pkg"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "__init__.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("def f(:")
    (tmp_path / "latin.py").write_bytes(b"x = '\xff'")
    assert {f.id.split(":")[0] for f in library_functions(tmp_path)} == {"pkg"}


def test_the_subset_depends_on_ids_and_seed_but_not_on_order() -> None:
    every = [Function(f"m:{i}", 1, "a b c", "x") for i in range(100)]
    chosen = choose(every, 10, seed=1)
    assert choose(every[::-1], 10, seed=1) == chosen
    assert choose(every, 10, seed=2) != chosen
    assert set(choose(every, 9, seed=1)) < set(chosen)
    assert len(choose(every, None, seed=1)) == 100


def test_this_pythons_library_gives_one_positive_a_function() -> None:
    made = config(format="stdlib", limit=20)
    (source,) = sources(made)
    rows = list(read(source, made, seed=42))
    assert [type(row) for row in rows] == [Query, Document, Judgement] * 20
    assert input_files(made) == []


@pytest.mark.parametrize(
    ("values", "name", "advice"),
    [
        (
            {"format": "hf", "documents": "a", "queries": "b", "qrels": "c"},
            "datasets",
            r"pip install -e '\.\[datasets\]'",
        ),
        (
            {"format": "ir_datasets", "name": "beir/scifact"},
            "ir_datasets",
            r"pip install -e '\.\[ir-datasets\]'",
        ),
    ],
)
def test_a_missing_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], name: str, advice: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=advice):
        check(config(**values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("squad", Name("squad", None, None)),
        ("BeIR/scifact", Name("BeIR/scifact", None, None)),
        ("BeIR/scifact-qrels/train", Name("BeIR/scifact-qrels", None, "train")),
        ("BeIR/scifact:corpus", Name("BeIR/scifact", "corpus", None)),
        ("BeIR/scifact:corpus/corpus", Name("BeIR/scifact", "corpus", "corpus")),
        ("squad:/train", Name("squad", None, "train")),
        ("/no/such/folder", Name("/no/such/folder", None, None)),
    ],
)
def test_names_of_hugging_face_data_sets(text: str, expected: Name) -> None:
    assert parse_name(text) == expected


class FakeDataset:
    """As much of datasets.Dataset as is used."""

    _fingerprint = "f00d"

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.column_names = table.column_names

    def with_format(self, kind: str) -> "FakeDataset":
        assert kind == "arrow"
        return self

    def iter(self, batch_size: int) -> Any:
        return iter([self.table.slice(0, 1), self.table.slice(1)])


@pytest.fixture
def fake_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = FakeDataset(pa.table({"_id": ["1", "2"], "text": ["x", ""]}))
    qrels = FakeDataset(pa.table({"qid": [1], "_id": [1], "score": [1]}))
    known = {
        ("c", None): {"corpus": texts},
        ("q", None): {"test": texts, "train": texts},
        ("r", "x"): {"train": qrels, "test": qrels},
    }
    library = ModuleType("datasets")
    library.load_dataset = lambda name, config: known[name, config]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", library)


def test_hugging_face_rows(fake_datasets: None) -> None:
    columns = {"doc_id": "_id", "query_id": "_id", "grade": None, "qrels_doc_id": "_id"}
    made = config(format="hf", documents="c", queries="q:/train", qrels="r:x/train", **columns)
    first = sources(made)[0]
    assert list(read(first, made, 0)) == [
        Document(1, "1", "x"),
        Bad(2, "documents", "empty_text", "text is empty", "2\t", "2"),
    ]


def test_hugging_face_splits_must_be_named(fake_datasets: None) -> None:
    made = config(format="hf", documents="c", queries="q", qrels="r:x/train", doc_id="_id")
    with pytest.raises(DataError, match=r"'q' names no split; .* one of test, train"):
        check(made)


def test_ir_datasets_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = SimpleNamespace(
        has_docs=lambda: True,
        has_queries=lambda: True,
        has_qrels=lambda: True,
        docs_iter=lambda: [SimpleNamespace(doc_id="d", default_text=lambda: "T text")],
        queries_iter=lambda: [SimpleNamespace(query_id="q", default_text=lambda: "ask")],
        qrels_iter=lambda: [SimpleNamespace(query_id="q", doc_id="d", relevance=2)],
    )
    library = ModuleType("ir_datasets")
    library.load = {"tiny": dataset}.__getitem__  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ir_datasets", library)
    made = config(format="ir_datasets", name="tiny")
    assert [row for source in sources(made) for row in read(source, made, 0)] == [
        Document(1, "d", "T text"),
        Query(1, "q", "ask"),
        Judgement(1, "q", "d", 2.0),
    ]
    with pytest.raises(DataError, match="no 'huge'"):
        check(config(format="ir_datasets", name="huge"))

"""The language of documents and queries: from columns of each format, or found."""

import importlib.util
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import ConfigError
from negmine.schemas.inputs import BeirInput, JsonlInput, PairsInput
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.detection import detected
from negmine.transforms.readers.rows import Bad, Document, Query, Row
from tests.transforms.foreign.sets import write_jsonl
from tests.transforms.input_files import write_beir


def languages(config: object, kind: type[Row]) -> list[str | None]:
    rows = [row for source in sources(config) for row in read(source, config, 0)]  # type: ignore[arg-type]
    return [row.language for row in rows if isinstance(row, kind)]  # type: ignore[union-attr]


def beir(tmp_path: Path, **more: object) -> BeirInput:
    documents = [
        {"_id": "d1", "text": "eins", "lang": "de-AT"},
        {"_id": "d2", "text": "two", "lang": "python"},
        {"_id": "d3", "text": "three"},
    ]
    queries = [{"_id": "q1", "text": "uno", "language": "spa"}]
    folder = write_beir(tmp_path / "in", documents, queries, [("q1", "d1", 1)])
    return BeirInput.model_validate(
        {"format": "beir", "path": str(folder), "split": "train", **more}
    )


def test_a_column_of_a_usual_name_tells_and_what_is_no_tag_is_none(tmp_path: Path) -> None:
    assert languages(beir(tmp_path), Document) == ["de", None, None]
    assert languages(beir(tmp_path / "b"), Query) == ["es"]


def test_in_a_column_that_was_named_what_is_no_tag_is_a_bad_row(tmp_path: Path) -> None:
    config = beir(tmp_path, doc_language="lang")
    rows = [row for source in sources(config) for row in read(source, config, 0)]
    (bad,) = [row for row in rows if isinstance(row, Bad)]
    assert (bad.code, bad.id) == ("not_a_language", "d2") and "'python'" in bad.reason


def test_placeholders_are_not_known_however_the_column_was_found(tmp_path: Path) -> None:
    values = ["und", "mul", "zxx", "mis", "nan", "NaN", " ", None, "tlh"]
    documents = [{"_id": f"d{i}", "text": "x", "lang": lang} for i, lang in enumerate(values)]
    folder = write_beir(tmp_path / "in", documents, [{"_id": "q", "text": "y"}], [("q", "d0", 1)])
    config = BeirInput.model_validate({"format": "beir", "path": str(folder), "split": "train"})
    assert languages(config, Document) == [None] * 9
    named = config.model_copy(update={"doc_language": "lang"})
    assert languages(named, Document) == [*[None] * 8, "tlh"]


def test_null_reads_none(tmp_path: Path) -> None:
    assert languages(beir(tmp_path, doc_language=None), Document) == [None, None, None]


def test_tables_have_columns_of_them(tmp_path: Path) -> None:
    rows = pa.table({"id": ["a", "b"], "text": ["x", "y"], "sprache": ["de", None]})
    pq.write_table(rows, tmp_path / "d.parquet")
    write_jsonl(tmp_path / "q.jsonl", [{"id": "q", "text": "ask", "lang": "pt_BR"}])
    write_jsonl(tmp_path / "r.jsonl", [{"query_id": "q", "doc_id": "a"}])
    config = JsonlInput.model_validate(
        {
            "format": "jsonl",
            "documents": str(tmp_path / "d.parquet"),
            "queries": str(tmp_path / "q.jsonl"),
            "qrels": str(tmp_path / "r.jsonl"),
            "doc_language": "sprache",
        }
    )
    assert languages(config, Document) == ["de", None]
    assert languages(config, Query) == ["pt"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_pairs_have_one_column_of_both_or_one_of_each(tmp_path: Path, suffix: str) -> None:
    both = {"query": "wer", "positive": "er", "lang": "de"}
    each = {"query": "who", "positive": "elle", "query_lang": "en", "positive_lang": "fr"}
    for name, row, expected in (("both", both, ("de", "de")), ("each", each, ("en", "fr"))):
        file = tmp_path / f"{name}.{suffix}"
        if suffix == "csv":
            file.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
        else:
            write_jsonl(file, [row])
        config = PairsInput.model_validate({"format": "pairs", "path": str(file)})
        assert (languages(config, Query), languages(config, Document)) == (
            [expected[0]], [expected[1]],
        )  # fmt: skip


def test_what_is_not_told_is_found() -> None:
    if importlib.util.find_spec("py3langid") is None:
        with pytest.raises(ConfigError, match="needs the package py3langid"):
            detected(["text"], [None])
        pytest.skip("py3langid is not installed")
    texts = ["Die Häuser stehen am Fluss.", "The houses stand by the river.", "42", "anything"]
    assert detected(texts, [None, None, None, "fr"]) == ["de", "en", None, "fr"]

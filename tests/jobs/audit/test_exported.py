"""What `negmine export` writes, `negmine audit` reads: every format, all negatives, no defect."""

from pathlib import Path

import pytest

from negmine.transforms.exporters import every_format
from negmine.transforms.foreign import ALIASES, FORMATS, rows
from negmine.transforms.foreign.layout import find_layout
from tests.jobs.audit.planted import audited
from tests.jobs.collections import document, negmine, static_student, write_config
from tests.transforms.input_files import write_beir

WITHOUT_LABELS = ("lists", "lighton", "qrels", "trec_run")
"""Formats that say of no document that it is a negative, or a positive."""
WHOLE = ("automodel",)
QUERIES = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of queries with two positives each."""
    base = tmp_path_factory.mktemp("exported")
    write_beir(
        base / "collection",
        [{"_id": f"d{i}", "text": document(i)} for i in range(60)],
        [{"_id": f"q{i}", "text": " ".join(document(i).split()[:2])} for i in range(QUERIES)],
        [(f"q{i}", f"d{j}", 1) for i in range(QUERIES) for j in (i, i + 20)],
    )
    config = write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        judge={"kind": "none"},
        output={"path": str(base / "out")},
    )
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return base


FORMATS_OUT = [name for name in every_format() if name not in WITHOUT_LABELS]


def test_every_format_that_says_what_is_negative_is_audited() -> None:
    assert set(FORMATS_OUT) - {"hf"} <= {*FORMATS, *ALIASES}


@pytest.mark.parametrize("format", FORMATS_OUT)
def test_its_rows_are_read_with_every_negative_and_positive(
    format: str, run: Path, tmp_path: Path
) -> None:
    ended = negmine("export", str(run / "out"), "--format", format, "-o", f"{tmp_path}/")
    assert ended.code == 0, ended.err
    (written,) = [path for path in tmp_path.iterdir() if not path.name.endswith(".export.json")]
    layout = find_layout(format, [str(written)], None, None)
    found = [row for file in layout.files for row in rows(str(file), layout.format)]
    pairs = {
        (row.query.text or row.query.id, negative.document.id or negative.document.text)
        for row in found
        for negative in row.negatives
    }
    positives = {
        (row.query.text or row.query.id, positive.id or positive.text)
        for row in found
        for positive in row.positives
    }
    assert len(pairs) == 5 * QUERIES and len(positives) == 2 * QUERIES
    assert not any(negative.fault for row in found for negative in row.negatives)


@pytest.mark.parametrize(
    "format", [f if f in WHOLE else pytest.param(f, marks=pytest.mark.long) for f in FORMATS_OUT]
)
def test_an_audit_of_it_finds_no_defect(format: str, run: Path, tmp_path: Path) -> None:
    ended = negmine("export", str(run / "out"), "--format", format, "-o", f"{tmp_path}/")
    assert ended.code == 0, ended.err
    (written,) = [path for path in tmp_path.iterdir() if not path.name.endswith(".export.json")]
    found = audited(run / "student", written, format, tmp_path / "audit")
    assert not [f for f in found["findings"] if f["defect"]]

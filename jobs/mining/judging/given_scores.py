"""Scores computed elsewhere, as an artifact of the work directory."""

from negmine.jobs.mining.context import RunContext
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.schemas import tables
from negmine.schemas.judges import Precomputed
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import QueryTable
from negmine.transforms.judging.given_scores import FillScores
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.storage.paths import table_files


def score_files(path: str) -> list[str]:
    """Files that `judge.path` names; DataError for none."""
    return table_files(path, "judge.path", "scores")


def given_scores(run: RunContext, judge: Precomputed, column: str | None = None) -> Dataset:
    """Scores of `judge.path` by position, made or reused; DataError where none fits.

    `column` has them; None = `judge.score_column`.
    """
    files = score_files(judge.path)
    digests = tuple(file_digests(files, run.work.sums))
    columns = (judge.query_column, judge.document_column, column or judge.score_column)
    key = {
        "files": [digest.sha256 for digest in digests],
        "columns": list(columns),
        **run.key("queries"),
        "documents": run.text_key("documents"),
    }

    def make(directory: str, blocks: Blocks) -> QueryTable:
        sets = (run.ingested["queries"], run.texts["documents"])
        fill = FillScores(tuple(files), *columns, *sets, digests)
        return QueryTable(fill, tables.POSITIVE_SCORES, directory, blocks)

    artifact = Artifact("precomputed", key, run.rows("queries"), make, label="read scores")
    return run.work.make_or_reuse(artifact)

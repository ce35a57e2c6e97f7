"""Scores computed elsewhere, as an artifact of the work directory."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negmine.schemas import tables
from negmine.schemas.errors import DataError
from negmine.schemas.judges import Judge
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.storage.suffixes import kind_of_file, require_kind

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner

_KINDS = ("parquet", "jsonl")


def table_files(path: str, key: str, what: str) -> list[str]:
    """Files that a key's path names: a file, a folder's, or a pattern's.

    Raises DataError for none, for two kinds, and for a file of another kind.
    """
    place = storage.local_path(path)
    if storage.is_dir(place):
        found = [place / name for name in storage.names(place)]
    elif storage.is_file(place):
        require_kind(place, key, _KINDS)
        found = [place]
    elif storage.is_mirrored(place):
        found = storage.matching(place.parent, place.name)
    else:
        found = [Path(p) for p in glob.glob(str(place))]
    files = sorted(str(file) for file in found if kind_of_file(file) in _KINDS)
    if not files:
        raise DataError(
            f"{key}: {path} names no {what}{_instead(found)}; give a .parquet or .jsonl file, a "
            "folder or a pattern of them"
        )
    if len({kind_of_file(file) for file in files}) > 1:
        raise DataError(f"{key}: {path} mixes Parquet and JSONL; name one kind")
    for file in files:
        if not storage.is_file(file):
            raise DataError(f"{key}: {file} is not a regular file")
    return files


def _instead(found: Sequence[Path]) -> str:
    """What there is of other kinds, to be put into a message."""
    suffixes = sorted({file.suffix for file in found if file.suffix})
    return f"; it names {', '.join(suffixes)} files" if suffixes else ""


def score_files(path: str) -> list[str]:
    """Files that `judge.path` names; DataError for none."""
    return table_files(path, "judge.path", "scores")


def precomputed_scores(miner: "Miner", judge: Judge) -> Dataset:
    """Scores of `judge.path` by position, made or reused; DataError where none fits."""
    files = score_files(judge.path or "")
    digests = tuple(file_digests(files, miner.work.sums))
    columns = (judge.query_column, judge.document_column, judge.score_column)
    key = {
        "files": [digest.sha256 for digest in digests],
        "columns": list(columns),
        **miner.key("queries", "documents"),
    }

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.query_table import build
        from negmine.transforms.data.query_tables import QueryTable
        from negmine.transforms.judging.given_scores import FillScores

        ingested = miner.ingested
        sets = (ingested["queries"], ingested["documents"])
        fill = FillScores(tuple(files), *columns, *sets, digests)
        return build, QueryTable(fill, tables.POSITIVE_SCORES, directory, blocks)

    return miner.work.ensure("precomputed", key, miner.rows("queries"), make)

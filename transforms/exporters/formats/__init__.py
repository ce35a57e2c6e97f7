"""Every format by its name: of one file, or of a folder of files."""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters.formats.folder import FolderFormat
from negmine.transforms.exporters.formats.retrieval import qrels, trec_run
from negmine.transforms.exporters.formats.retrieval.hf import HuggingFace
from negmine.transforms.exporters.formats.retrieval.msmarco import MsMarco
from negmine.transforms.exporters.formats.sentence_transformers import (
    bce,
    labeled_list,
    labeled_pair,
    lists,
    n_tuple,
    triplet,
)
from negmine.transforms.exporters.formats.trainers import (
    automodel_inline,
    flagembedding,
    flagembedding_reranker,
    lightning_ir,
    ms_swift,
    ms_swift_reranker,
    tevatron,
)
from negmine.transforms.exporters.formats.trainers.automodel import Automodel
from negmine.transforms.exporters.formats.trainers.colbert import Colbert
from negmine.transforms.exporters.formats.trainers.lighton import LightOn
from negmine.transforms.exporters.formats.trainers.pylate_kd import PylateKD
from negmine.transforms.exporters.formats.trainers.tevatron_v2 import TevatronV2
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives

COMMON_OPTIONS = frozenset(
    {
        "tiers",
        "backfilled",
        "positives",
        "without_fold",
        "lists",
        "raw",
        "ranking",
        "scale",
        "split",
        "epochs",
        "schedule",
        "use",
    }
)
"""Options that every format takes: they choose what is exported."""


class Exporter(Protocol):
    """A module that makes one format's rows; files of any kind are written of them.

    `SUFFIX` is the usual ending, `OPTIONS` the fields of `Options` that it takes beside
    COMMON_OPTIONS, `TAKES_GRADES` whether its rows have a place for a positive's grade. It may
    have `ENDINGS`, where others than tables' are meant, `SCORED`, true where its rows have scores
    whether or not one asks for them, and `WEIGHTS_IN`, where its rows have the negatives' weights.
    """

    SUFFIX: str
    OPTIONS: frozenset[str]
    TAKES_GRADES: bool

    def schema(self, rows: RunNegatives) -> pa.Schema:
        """Columns of a row; called once, first."""

    def choose(self, rows: RunNegatives, block: QueryBlock) -> QueryBlock:
        """The queries that the format can take; the others are counted by `rows.leave_out`."""

    def tables(
        self, rows: RunNegatives, block: QueryBlock, schema: pa.Schema
    ) -> Iterator[pa.Table]:
        """The rows of a chosen block, all of its positives among them, in bounded tables."""


EXPORTERS: dict[str, Exporter] = {
    "triplet": triplet,
    "n_tuple": n_tuple,
    "labeled_pair": labeled_pair,
    "labeled_list": labeled_list,
    "bce": bce,
    "flagembedding": flagembedding,
    "flagembedding_reranker": flagembedding_reranker,
    "tevatron": tevatron,
    "pylate": n_tuple,
    "automodel_inline": automodel_inline,
    "ms_swift": ms_swift,
    "ms_swift_reranker": ms_swift_reranker,
    "lightning_ir": lightning_ir,
    "trec_run": trec_run,
    "qrels": qrels,
}

FOLDERS: dict[str, type[FolderFormat]] = {
    "tevatron_v2": TevatronV2,
    "pylate_kd": PylateKD,
    "lighton": LightOn,
    "colbert": Colbert,
    "automodel": Automodel,
    "msmarco": MsMarco,
    "hf": HuggingFace,
}
"""Formats that are a folder of files."""

OF_LISTS: dict[str, Exporter] = {"lists": lists}
"""Formats that only teacher lists fill; those of EXPORTERS take them too."""

AnyFormat = Exporter | type[FolderFormat]


def every_format() -> dict[str, AnyFormat]:
    """All formats by name."""
    return {**EXPORTERS, **FOLDERS, **OF_LISTS}


def exporter(name: str) -> AnyFormat:
    """The format of a name. Raises ConfigError, naming those that exist."""
    every = every_format()
    found = every.get(name.replace("-", "_"))
    if found is None:
        raise ConfigError(f"no format {name!r}; there are {', '.join(every)}")
    return found

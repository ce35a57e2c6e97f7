"""What a collection keeps for evaluation, as queries and judgements of a BEIR folder."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from negmine.schemas.config import Config
from negmine.transforms import readers
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.ingesting.ingest import cut_of
from negmine.transforms.kernels.near_duplicates import sketches
from negmine.transforms.readers.rows import Document, Judgement, Query
from negmine.transforms.readers.tables.delimited import quoted

SPLIT = "qrels/test.tsv"
"""Where the judgements of all evaluation splits are; a run of the folder keeps them out again."""


@dataclass(frozen=True)
class KeptOut:
    """Texts of evaluation queries by identifier, and the grades of their positives of the corpus.

    A positive that the corpus has not is left out: no source can find it.
    """

    queries: dict[str, str] = field(default_factory=dict)
    judgements: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, documents: Dataset, mined: Dataset) -> "KeptOut":
        """Of a collection whose `documents` and `mined` queries are ingested; reads its files."""
        sources = readers.sources(config.input)
        judged: dict[tuple[str, str], float] = {}
        asked: dict[str, str] = {}
        texts: dict[str, str] = {}
        for source in (source for source in sources if source.evaluation):
            for row in readers.read(source, config.input, config.seed):
                if isinstance(row, Judgement) and row.positive:
                    pair = (row.query_id, row.doc_id)
                    grade = 1.0 if row.grade is None else row.grade
                    judged[pair] = max(grade, judged.get(pair, 0.0))
                elif isinstance(row, Query):
                    asked.setdefault(row.id, row.text)
                elif isinstance(row, Document):
                    texts.setdefault(row.id, row.text)
        if not judged:
            return cls()
        if not asked:
            wanted = {query_id for query_id, _ in judged}
            for source in (source for source in sources if source.kind == "queries"):
                for row in readers.read(source, config.input, config.seed):
                    if isinstance(row, Query) and row.id in wanted:
                        asked.setdefault(row.id, row.text)
        held = _held(documents, texts, cut_of(config.input) is not None)
        names = _names(asked, set(mined.read(["query_id"])["query_id"].to_pylist()))
        found: dict[tuple[str, str], float] = {}
        for (query_id, doc_id), grade in sorted(judged.items()):
            for name in held.get(doc_id, ()) if query_id in names else ():
                pair = (names[query_id], name)
                found[pair] = max(grade, found.get(pair, 0.0))
        used = {query_id for query_id, _ in found}
        left = {names[i]: text for i, text in sorted(asked.items()) if names[i] in used}
        return cls(left, found)

    def query_table(self) -> pa.Table:
        """The queries, columns `_id` and `text`."""
        columns = (list(self.queries), list(self.queries.values()))
        return pa.table([pa.array(c, pa.large_string()) for c in columns], ["_id", "text"])

    def judgement_lines(self) -> str:
        """The judgements as a file of qrels."""
        rows = (
            f"{quoted(query)}\t{quoted(doc)}\t{grade:.9g}\n"
            for (query, doc), grade in self.judgements.items()
        )
        return f"query-id\tcorpus-id\tscore\n{''.join(rows)}"


def _held(documents: Dataset, texts: dict[str, str], cut: bool) -> dict[str, list[str]]:
    """Documents of the corpus that an identifier of the evaluation stands for."""
    table = documents.read(["doc_id", "text_key", "in_evaluation"])
    table = table.filter(table["in_evaluation"])
    held: dict[str, list[str]] = defaultdict(list)
    by_key: dict[int, list[str]] = defaultdict(list)
    for name, key in zip(table["doc_id"].to_pylist(), table["text_key"].to_pylist(), strict=True):
        held[name].append(name)
        by_key[key].append(name)
        if cut:
            held[name.rpartition("#")[0]].append(name)
    if texts:
        keys, _ = sketches(list(texts.values()), minhash=False)
        for identity, key in zip(texts, np.asarray(keys).tolist(), strict=True):
            held.setdefault(identity, by_key.get(key, []))
    return held


def _names(asked: dict[str, str], mined: set[str]) -> dict[str, str]:
    """Identifiers that no mined query has; files of evaluation queries may have the same ones."""
    names: dict[str, str] = {}
    taken = mined | set(asked)
    for identity in sorted(asked):
        name = identity
        while (name != identity and name in taken) or name in mined:
            name = f"{name}-evaluation"
        names[identity] = name
        taken.add(name)
    return names

"""One rule twice: arguments of mine_hard_negatives, and our config that decides the same."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from negmine.transforms.data.columns import array_column


@dataclass(frozen=True)
class Rule:
    """Arguments of `sentence_transformers.util.mine_hard_negatives`, by its own names."""

    num_negatives: int = 3
    range_min: int = 0
    range_max: int | None = None
    max_score: float | None = None
    min_score: float | None = None
    absolute_margin: float | None = None
    relative_margin: float | None = None

    def theirs(self) -> dict[str, Any]:
        """Keyword arguments."""
        return asdict(self)

    def last(self, positives: int) -> int:
        """`range_max`, or what stands for it where it is None; `positives`: most of a query."""
        if self.range_max is not None:
            return self.range_max
        filtered = (self.absolute_margin, self.relative_margin, self.max_score)
        factor = 1 if filtered == (None, None, None) else 10
        return self.range_min + factor * self.num_negatives + positives

    def policies(self, positives: int) -> list[dict[str, Any]]:
        """The config's `policies`."""
        found: list[dict[str, Any]] = []
        if self.absolute_margin is not None:
            found.append({"student_absolute_margin": {"margin": self.absolute_margin}})
        if self.relative_margin is not None:
            found.append({"student_relative_margin": {"margin": self.relative_margin}})
        if (self.max_score, self.min_score) != (None, None):
            found.append({"student_score": {"min": self.min_score, "max": self.max_score}})
        last = self.last(positives)
        return [*found, {"student_range": {"min": self.range_min, "max": last}}]

    def sections(self, positives: int) -> dict[str, Any]:
        """Sections of the config; input, student and output are the run's."""
        depth = self.last(positives) + positives
        return {
            "sources": {"dense": {"depth": depth}, "bm25": None, "random": None},
            "judge": {"kind": "none"},
            "policies": self.policies(positives),
            "tiers": {"hard": {"quota": self.num_negatives}},
            "sampling": {"method": "top"},
        }


Mined = dict[str, list[tuple[str, float]]]
"""Negatives and similarities by query, texts all, most similar first."""
Own = dict[tuple[str, str], str]
"""Verdicts of pairs (query, document)."""


def their_negatives(
    model: Any, documents: Sequence[str], known: Sequence[tuple[str, str]], rule: Rule
) -> Mined:
    """What the real function mines from (query, positive) texts."""
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    pairs = Dataset.from_dict({"query": [q for q, _ in known], "positive": [d for _, d in known]})
    rows = mine_hard_negatives(
        pairs,
        model,
        corpus=list(documents),
        output_format="labeled-list",
        output_scores=True,
        verbose=False,
        **rule.theirs(),
    )
    found: Mined = {query: [] for query, _ in known}
    for row in rows:
        found[row["query"]] = list(zip(row["positive"][1:], row["scores"][1:], strict=True))
    return found


def looked_up(vectors: Mapping[str, np.ndarray]) -> Any:
    """A SentenceTransformer that gives these vectors, by text: the same embeddings as ours."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    class LookedUp(SentenceTransformer):
        def encode_query(self, texts: list[str], **options: Any) -> np.ndarray:
            return np.stack([vectors[text] for text in texts])

        encode_document = encode_query

    return LookedUp(modules=[BoW(vocab=["none"])], device="cpu")


@dataclass
class Compared:
    """Rows (a query and a place) of one rule on both sides."""

    queries: int = 0
    theirs: int = 0
    ours: int = 0
    same: int = 0
    same_queries: int = 0
    ties: int = 0
    dropped: int = 0
    moved: int = 0
    unexplained: int = 0


def compare(theirs: Mined, ours: Mined, own: Own) -> Compared:
    """Row by row, and why rows differ.

    Args:
        theirs, ours: negatives by query.
        own: what ours drops by rules that theirs lacks.
    """
    found = Compared(queries=len(theirs))
    for query, left in theirs.items():
        right = ours.get(query, [])
        found.theirs += len(left)
        found.ours += len(right)
        same = [a[0] == b[0] for a, b in zip(left, right, strict=False)]
        found.same += sum(same)
        found.same_queries += all(same) and len(left) == len(right)
        gone = [text for text, _ in left if (query, text) in own]
        for place in range(max(len(left), len(right))):
            if place < len(same) and same[place]:
                continue
            if place < len(same) and abs(left[place][1] - right[place][1]) < 1e-6:
                found.ties += 1
            elif place < len(left) and left[place][0] in gone:
                found.dropped += 1
            elif gone:
                found.moved += 1
            else:
                found.unexplained += 1
    return found


OWN_RULES = ("query_itself", "same_text_as_positive", "same_text_as_negative")
"""Verdicts of what only ours drops under the same policies; near-duplicates where asked for."""


def our_negatives(run: Any, verdicts: pa.Table | None = None) -> tuple[Mined, Own]:
    """What a `MiningRun` chose, and the verdicts of pairs that it drops by rules of its own.

    `verdicts` stand for the run's own.
    """
    texts = {
        side: run.ingested[side].read(["text"])["text"].to_pylist()
        for side in ("queries", "documents")
    }
    read = ["query_ix", "doc_ix", "verdict", "rank", "dense_score"]
    found = run.verdicts.read(read) if verdicts is None else verdicts.select(read)
    rows = found.to_pylist()
    kept = [row for row in rows if row["verdict"] == "kept"]
    mined: Mined = {text: [] for text in texts["queries"]}
    for row in sorted(kept, key=lambda row: (row["query_ix"], row["rank"])):
        negative = texts["documents"][row["doc_ix"]], float(row["dense_score"])
        mined[texts["queries"][row["query_ix"]]].append(negative)
    own = {
        (texts["queries"][row["query_ix"]], texts["documents"][row["doc_ix"]]): row["verdict"]
        for row in rows
        if row["verdict"] in OWN_RULES or row["verdict"].startswith("near_duplicate")
    }
    return mined, own


def vectors_of(run: Any) -> dict[str, np.ndarray]:
    """The student's vectors of a run's queries and documents, by text."""
    found: dict[str, np.ndarray] = {}
    for side, vectors in (("documents", run.document_vectors), ("queries", run.query_vectors)):
        texts = run.ingested[side].read(["text"])["text"].to_pylist()
        found.update(zip(texts, array_column(vectors, "vector"), strict=True))
    return found

"""Negatives of each method, over the same vectors: naive, sentence-transformers and negmine."""

import contextlib
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from benchmarks._hidden_positives import Positives, beir
from negmine.jobs.mining.run import MiningRun
from negmine.schemas.config import Config, Sampling
from negmine.schemas.config.policy_list import asked_policies
from negmine.schemas.policies import Policy
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.kernels.choosing.tiers import position_in_group
from negmine.transforms.kernels.hashing import mix

FIXED_POLICIES: list[dict[str, Any]] = [
    {"known_positive": {}},
    {"same_text": {}},
    {"near_duplicate_of_positive": {}},
]
SAMPLING = (
    "fused",
    "top",
    "uniform",
    "softmax",
    "simans",
    "trisampler",
    "mmr",
    "log_det",
    "contrast",
)
CALIBRATED = "judge_calibrated_threshold"
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
DEFAULT_SHARE = 0.5
ROCKETQA_PROBABILITIES = (0.05, 0.1, 0.3)
ROCKETQA_QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95)
ST_SETTINGS: tuple[dict[str, Any], ...] = (
    *(
        {"relative_margin": margin, "range_max": window}
        for margin in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
        for window in (100, None)
    ),
    *({"absolute_margin": margin, "range_max": 100} for margin in (0.05, 0.1, 0.2)),
    *(
        {"relative_margin": margin, "range_max": 100, "sampling_strategy": "random"}
        for margin in (0.05, 0.1)
    ),
)


@dataclass(frozen=True)
class Selection:
    """What a method took: `query` and `doc` (n,) int64 positions, each pair once."""

    name: str
    family: str
    query: np.ndarray
    doc: np.ndarray
    parameters: dict[str, Any] = field(default_factory=dict)


class StoredVectors(SentenceTransformer):
    """The student with its vectors of known texts looked up; nothing else is changed."""

    documents: dict[str, np.ndarray]
    queries: dict[str, np.ndarray]

    def encode_document(self, inputs: Sequence[str], **_: Any) -> np.ndarray:
        return np.stack([self.documents[text] for text in inputs])

    def encode_query(self, inputs: Sequence[str], **_: Any) -> np.ndarray:
        return np.stack([self.queries[text] for text in inputs])


@dataclass
class Bench:
    """A reduced collection, mined with the real pipeline; judges are settings of the config."""

    folder: str
    output: str
    judges: Sequence[dict[str, Any]]
    negatives: int
    seed: int
    student: dict[str, Any] = field(default_factory=dict)

    def config(
        self, judge: dict[str, Any], policies: Sequence[dict[str, Any]], method: str = "top"
    ) -> Config:
        """A run that differs from the others in judge, policies and sampling only."""
        return Config.model_validate(
            {
                "input": beir(self.folder, "known"),
                "student": self.student,
                "sources": {"bm25": {"depth": 100}, "dense": {"depth": 100}, "random": None},
                "judge": judge,
                "policies": [*FIXED_POLICIES, *policies],
                "tiers": {
                    "hard": {"quota": self.negatives, "min_ratio": 0.8},
                    "rest": {"quota": 0, "min_ratio": 0.5, "max_ratio": 0.8},
                    "easy": {"quota": 0},
                },
                "sampling": {"method": method},
                "output": {"path": self.output},
                "seed": self.seed,
            }
        )

    def miner(self, judge: dict[str, Any]) -> MiningRun:
        """A run of this judge, for its candidates and scores."""
        found = self.__dict__.setdefault("_miners", {})
        key = repr(judge)
        if key not in found:
            found[key] = MiningRun(self.config(judge, []))
        return found[key]

    @cached_property
    def base(self) -> MiningRun:
        """The first judge's run."""
        return self.miner(self.judges[0])

    @cached_property
    def text_key(self) -> np.ndarray:
        """(documents,) uint64, equal where the normalised texts are."""
        return np.asarray(array_column(self.base.ingested["documents"], "text_key"))

    @cached_property
    def positives(self) -> tuple[np.ndarray, np.ndarray]:
        """Query and document of every known positive, sorted by query."""
        table = self.base.ingested["positives"].read()
        return table["query_ix"].to_numpy(), table["doc_ix"].to_numpy()

    @cached_property
    def served(self) -> np.ndarray:
        """The known positive that the first judge scores highest, (queries,) int64 doc_ix."""
        served = np.empty(self.base.rows("queries"), dtype=np.int64)
        columns = ["query_ix", "doc_ix", "is_positive", "judge_score", "dense_score"]
        for table in self.base.verdicts.tables(columns):
            known = table.filter(table["is_positive"])
            judge = np.nan_to_num(known["judge_score"].to_numpy(), nan=-np.inf)
            query, doc, dense = (
                known[name].to_numpy() for name in ("query_ix", "doc_ix", "dense_score")
            )
            order = np.lexsort((doc, -dense, -judge, query))
            queries, first = np.unique(query[order], return_index=True)
            served[queries] = doc[order][first]
        return served

    def similarity(self, query: np.ndarray, doc: np.ndarray) -> np.ndarray:
        """The student's cosine of pairs, (n,) float64."""
        queries = array_column(self.base.query_vectors, "vector")
        documents = array_column(self.base.document_vectors, "vector")
        blocks = (slice(at, at + 65_536) for at in range(0, len(query), 65_536))
        parts = [
            np.einsum("ij,ij->i", queries[query[b]], documents[doc[b]], dtype=np.float64)
            for b in blocks
        ]
        return np.concatenate([np.empty(0), *parts])

    def hidden_keys(self, hidden: Positives) -> np.ndarray:
        """One uint64 a hidden positive, comparable with `pair_keys`."""
        names = self.base.ingested["queries"].read(["query_id"])["query_id"].to_pylist()
        position = {name: at for at, name in enumerate(names)}
        query = np.array([position[name] for name in hidden.query_id], dtype=np.int64)
        return mix(query, hidden.text_key)

    def pair_keys(self, query: np.ndarray, doc: np.ndarray) -> np.ndarray:
        """One uint64 a pair; documents of the same text share it."""
        return mix(query, self.text_key[doc])


def judge_name(judge: dict[str, Any]) -> str:
    """How a judge is called in the tables."""
    model = f" {Path(judge['model']).name}" if judge.get("model") else ""
    return f"{judge['kind']}{model}"


def naive(bench: Bench) -> Selection:
    """The student's nearest documents that are no known positives."""
    table = bench.base.candidates["dense"].read()
    query, doc, rank = (table[name].to_numpy() for name in ("query_ix", "doc_ix", "rank"))
    free = ~np.isin(bench.pair_keys(query, doc), bench.pair_keys(*bench.positives))
    query, doc, rank = query[free], doc[free], rank[free]
    order = np.lexsort((rank, query))
    query, doc = query[order], doc[order]
    taken = position_in_group(query) < bench.negatives
    return Selection("naive top", "naive", query[taken], doc[taken])


class SentenceTransformersMiner:
    """sentence-transformers' own miner over a bench's vectors."""

    def __init__(self, bench: Bench) -> None:
        from datasets import Dataset

        sets, base = bench.base.ingested, bench.base
        self.bench = bench
        texts, queries = (
            binary_column(sets[name], "text").texts(range(sets[name].rows))
            for name in ("documents", "queries")
        )
        self.corpus = texts
        self.doc_ix = {text: at for at, text in reversed(list(enumerate(texts)))}
        self.query_ix = {text: at for at, text in enumerate(queries)}
        self.model = StoredVectors(base.student.weights.folder, device="cpu")
        vectors = array_column(base.document_vectors, "vector")
        self.model.documents = {text: vectors[at] for text, at in self.doc_ix.items()}
        vectors = array_column(base.query_vectors, "vector")
        self.model.queries = {text: vectors[at] for text, at in self.query_ix.items()}
        query, doc = bench.positives
        self.pairs = Dataset.from_dict(
            {"query": [queries[q] for q in query], "positive": [texts[d] for d in doc]}
        )

    def mine(self, parameters: dict[str, Any]) -> Selection:
        """Negatives under these arguments; `triplet` keeps those of queries that are short."""
        random.seed(self.bench.seed)
        with contextlib.redirect_stderr(io.StringIO()):
            mined = mine_hard_negatives(
                self.pairs,
                self.model,
                corpus=self.corpus,
                num_negatives=self.bench.negatives,
                output_format="triplet",
                faiss_batch_size=1024,
                use_faiss=True,
                verbose=False,
                **parameters,
            )
        pairs = {
            (self.query_ix[query], self.doc_ix[negative])
            for query, negative in zip(mined["query"], mined["negative"], strict=True)
        }
        found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        return Selection(
            st_name(parameters), "sentence-transformers", found[:, 0], found[:, 1], parameters
        )


def st_name(parameters: dict[str, Any]) -> str:
    """How a setting is called: `ST rel 0.05 r100 random`."""
    words = ["ST"]
    for key, short in (("relative_margin", "rel"), ("absolute_margin", "abs")):
        if key in parameters:
            words.append(f"{short} {parameters[key]:g}")
    words.append(f"r{parameters['range_max'] or 'auto'}")
    return " ".join([*words, *([] if "sampling_strategy" not in parameters else ["random"])])


def ours(
    bench: Bench,
    name: str,
    family: str,
    judge: dict[str, Any],
    policies: Sequence[dict[str, Any]],
    method: str = "top",
) -> Selection | str:
    """Negatives that the pipeline keeps, or why this version's config has no such method."""
    try:
        config = bench.config(judge, policies, method)
    except ValidationError as error:
        return f"{name}: {error.errors()[0]['msg'].split(';')[0]}"
    query, doc = [], []
    for table in MiningRun(config).verdicts.tables(["query_ix", "doc_ix", "verdict"]):
        kept = np.array(table["verdict"].to_pylist(), dtype=object) == "kept"
        query.append(table["query_ix"].to_numpy()[kept])
        doc.append(table["doc_ix"].to_numpy()[kept])
    parameters = {"judge": judge, "policies": list(policies), "sampling": method}
    return Selection(name, family, np.concatenate(query), np.concatenate(doc), parameters)


def calibrated(bench: Bench, judge: dict[str, Any], method: str, share: float) -> Selection | str:
    """Ours at one level of the calibrated threshold."""
    name = f"ours {judge_name(judge)} {method} {share:g}"
    return ours(bench, name, "ours", judge, [{CALIBRATED: {"positives_above": share}}], method)


def default(bench: Bench, judge: dict[str, Any]) -> Selection | str:
    """Ours as a config without policies and sampling has it."""
    asked = asked_policies(None, judged=True)
    policies = [Policy.model_validate(policy).model_dump() for policy in asked]
    name, method = f"ours {judge_name(judge)} default", Sampling().method
    return ours(bench, name, "ours", judge, policies, method)


def rocketqa(bench: Bench, judge: dict[str, Any]) -> Iterator[Selection | str]:
    """Candidates below a judge score, whatever the positive's: a probability, or a quantile."""
    name = f"RocketQA {judge_name(judge)}"
    if judge["kind"] == "cross_encoder":
        limits = {f"p<={p:g}": p for p in ROCKETQA_PROBABILITIES}
    else:
        parts = [
            table["judge_score"].to_numpy()[~table["is_positive"].to_numpy()]
            for table in bench.miner(judge).verdicts.tables(["judge_score", "is_positive"])
        ]
        scores = np.concatenate(parts).astype(np.float64)
        limits = {f"q{q:g}": float(np.quantile(scores, q)) for q in ROCKETQA_QUANTILES}
    for label, limit in limits.items():
        yield ours(bench, f"{name} {label}", "rocketqa", judge, [{"judge_score": {"max": limit}}])

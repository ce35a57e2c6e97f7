"""The stages of a run with what each would take: a sample's costs, times the rows of all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from negmine.jobs.mining.publish import publish
from negmine.jobs.mining.retrieval import bm25_scorer, fill_given
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.scores import score_files
from negmine.jobs.plan.artifacts import Artifact, Rehearsal, tree_bytes
from negmine.jobs.plan.counts import most_candidates, pairs_read, union_size, vector_bytes
from negmine.jobs.plan.estimate import Stage
from negmine.jobs.plan.sample import SampleMiner, take_sample
from negmine.jobs.plan.timing import (
    Encoding,
    measure_bm25,
    measure_dense,
    measure_pairs,
    spread,
    timed,
)
from negmine.schemas.judges import Judge
from negmine.schemas.selection import Selection
from negmine.transforms import storage
from negmine.transforms.kernels.hashing import fingerprint

FIRST = 4
_READ = 20e6
"""Bytes of somebody else's scores read in a second: assumed, not measured."""
_PLACED = 80e6
"""Bytes of given vectors put on positions in a second: assumed, not measured."""


def _run_seconds(run: SampleMiner) -> dict[str, float]:
    """Seconds of each step of a run over a sample, made here and now."""
    index, _ = timed(lambda: bm25_scorer(run))
    run.run_until("score")
    publishing, _ = timed(lambda: publish(run, "sample"))
    return {**run.work.seconds, "index bm25": index, "publish": publishing}


class Estimator:
    """Turns what the sample took into stages of the whole run."""

    def __init__(self, miner: MiningRun, rehearsal: Rehearsal, directory: Path) -> None:
        self.miner, self.rehearsal, self.config = miner, rehearsal, miner.config
        self.sample = sample = take_sample(miner)
        # A process pays for its first use of everything; a small run does so, before one is timed.
        first = SampleMiner(rehearsal, sample, directory / "first")
        for texts, choice, tokens in rehearsal.embeddings.values():
            first.embed(texts, choice, tokens)
        self.measured = first.measured
        first = SampleMiner(rehearsal, sample.head(FIRST), directory / "small", self.measured)
        self.run = SampleMiner(rehearsal, sample, directory / "sample", self.measured)
        self.first_costs = _run_seconds(first)
        self.costs = _run_seconds(self.run)
        self.overhead = min(*self.costs.values(), *self.first_costs.values())
        self.documents, self.queries = miner.rows("documents"), miner.rows("queries")
        self.positives = miner.rows("positives")
        self.given = fill_given(rehearsal).mined() if self.config.sources.given else 0
        self.pairs, self.union = self._pairs()
        self.loaded: set[str] = set()
        first_part = self.run.document_vectors.part_names()[0]
        schema = self.run.document_vectors.read_part(first_part, ["vector"]).schema
        self.dimension = int(schema.field("vector").type.list_size)

    def _pairs(self) -> tuple[int, bool]:
        sources = [a.dataset for a in self.rehearsal.of("retrieve") if a.what != "retrieve places"]
        sets = [*sources, self.miner.ingested["positives"]]
        found = union_size(sets, self.documents, self.queries)
        if found is not None:
            return found, True
        return self.queries * self._most() + self.positives, False

    def _most(self) -> int:
        """Candidates of a query at most, given ones on average."""
        each = -(-self.given // max(self.queries, 1))
        return most_candidates(self.config, self.documents, each)

    def stages(self) -> list[Stage]:
        """Every stage, in the order of the run."""
        held = self.miner.budget.expected(
            self.documents,
            self.queries,
            self.dimension,
            self.postings(),
            self.sample.text_bytes["documents"],
        )
        held["index bm25"] = held["bm25_index"]
        return [
            replace(stage, memory=held.get(stage.what) or held[stage.stage])
            for stage in self._stages()
        ]

    def _stages(self) -> list[Stage]:
        found = [self._ingest()]
        found += [self._embed(artifact) for artifact in self.rehearsal.of("embed")]
        found += self._retrieve()
        read = [judge for judge in self.config.judge.flat() if judge.kind == "precomputed"]
        made = self.rehearsal.of("precomputed")
        found += [self._precomputed(*pair) for pair in zip(made, read, strict=False)]
        found.append(self._judge())
        for name in ("select", "score"):
            found.append(self._per_pair(name, self._only(name)))
        found.append(self._publish())
        return found

    def _only(self, stage: str) -> Artifact | None:
        artifacts = self.rehearsal.of(stage)
        return artifacts[-1] if artifacts else None

    def _stage(
        self,
        artifact: Artifact | None,
        stage: str,
        what: str,
        rows: int,
        unit: str,
        cost: tuple[float, float],
        size: float,
        note: str = "",
    ) -> Stage:
        """An estimate, less what an artifact has on disk already."""
        left = artifact.left if artifact else 1.0
        if not left:
            return Stage(stage, what, rows, unit, 0.0, 0.0, 0, "reused")
        if left < 1:
            note = f"{1 - left:.0%} is on disk" + (f"; {note}" if note else "")
        seconds, most = (round(value * left, 3) for value in cost)
        return Stage(stage, what, rows, unit, seconds, most, round(size * left), "estimate", note)

    def _ingest(self) -> Stage:
        entry = self.miner.work.timings["ingest"]
        size = tree_bytes(self.miner.ingested["documents"].directory.parent)
        rows, seconds = self.documents + self.queries, float(entry["seconds"])
        state = "reused" if entry["reused"] else "done"
        return Stage("ingest", "ingest", rows, "rows", seconds, seconds, size, state)

    def _embed(self, artifact: Artifact) -> Stage:
        if artifact.dataset.path not in self.rehearsal.embeddings:
            return self._place(artifact)
        texts, choice, tokens = self.rehearsal.embeddings[artifact.dataset.path]
        cost = self.measured[texts, fingerprint(choice.identity)][0]
        characters = self.sample.characters[texts]
        todo = artifact.texts_to_encode(self.miner.ingested[texts], characters)
        seconds = cost.seconds(todo) + self.overhead + self._load(cost, choice.weights.folder)
        note = f"{len(todo):,} texts are new" if len(todo) < len(characters) else ""
        size = vector_bytes(cost, characters, tokens)
        name = (
            "" if choice.identity == self.rehearsal.student.identity else f", {choice.weights.name}"
        )
        return self._stage(
            artifact, "embed", f"embed {texts}{name}", len(characters), texts,
            (seconds, seconds), 2 * size, note,
        )  # fmt: skip

    def _place(self, artifact: Artifact) -> Stage:
        texts = artifact.what.split()[-1]
        rows = len(self.sample.characters[texts])
        size = rows * (4 * self.dimension + 24)
        seconds = self.overhead + size / _PLACED
        note = f"placing at {_PLACED / 1e6:.0f} MB/s is assumed"
        return self._stage(
            artifact, "embed", artifact.what, rows, texts, (seconds, seconds), 2 * size, note
        )

    def _load(self, cost: Encoding, folder: str) -> float:
        first = folder not in self.loaded
        self.loaded.add(folder)
        return cost.load if first else 0.0

    def _retrieve(self) -> list[Stage]:
        run, config = self.run, self.config
        found = []
        bm25 = config.sources.bm25
        vectors = run.document_vectors.read_part(run.document_vectors.part_names()[0], ["vector"])
        flat = vectors.column("vector").combine_chunks().flatten().to_numpy()
        tiled = spread(flat.reshape(vectors.num_rows, -1), vectors.num_rows)
        for artifact in self.rehearsal.of("retrieve", "bm25_index"):
            source = artifact.what.split()[-1]
            rows, unit = self.queries, "queries"
            seconds, size, note = 0.0, 0.0, ""
            if artifact.stage == "bm25_index":
                share = self._text_share()
                rows, unit = self.documents, "documents"
                size = share * tree_bytes(Path(bm25_scorer(run).index.path))
                seconds = share * self._beyond("index bm25")
            elif source == "dense" and config.sources.dense:
                depth = min(config.sources.dense.depth, self.documents)
                rate = measure_dense(tiled, self.documents, self.queries, depth)
                seconds = rate * self.documents * self.queries
                size = self._candidate_bytes(depth)
            elif source == "bm25" and bm25:
                texts = self.sample.texts("queries")
                build, search = measure_bm25(run, bm25, texts, self.documents)
                seconds = self.documents * (build + search * self.queries)
                size = self._candidate_bytes(bm25.depth)
            elif source == "random" and config.sources.random:
                seconds = (
                    self._beyond("retrieve random") * self.queries / self.sample.queries.num_rows
                )
                size = self._candidate_bytes(config.sources.random.count)
            elif source == "given" and config.sources.given:
                rows, unit = self.given, "rows"
                files = fill_given(self.miner).files
                seconds = sum(storage.state(file)[0] for file in files) / _READ
                size = self._candidate_bytes(-(-self.given // max(self.queries, 1)))
                note = f"reading at {_READ / 1e6:.0f} MB/s is assumed"
            else:
                size = self._candidate_bytes(self._most())
                seconds = size / _READ
            seconds += self.overhead
            found.append(
                self._stage(
                    artifact, "retrieve", artifact.what, rows, unit, (seconds, seconds), size, note
                )
            )
        return found

    def _text_share(self) -> float:
        sampled = sum(len(text) for text in self.sample.texts("documents"))
        return float(self.sample.characters["documents"].sum()) / max(sampled, 1)

    def _candidate_bytes(self, depth: int) -> float:
        written = sum(d.manifest()["parts"][0]["bytes"] for d in self.run.candidates.values())
        rows = sum(dataset.rows for dataset in self.run.candidates.values())
        return written / max(rows, 1) * self.queries * min(depth, self.documents)

    def _precomputed(self, artifact: Artifact, judge: Judge) -> Stage:
        size = sum(storage.state(file)[0] for file in score_files(judge.path or ""))
        seconds = self.overhead + size / _READ
        note = f"reading at {_READ / 1e6:.0f} MB/s is assumed"
        return self._stage(
            artifact, "judge", "read scores", size, "bytes", (seconds, seconds), size / 2, note
        )

    def _beyond(self, step: str) -> float:
        """Seconds of a step of the sample beyond those of any pipeline."""
        return max(self.costs[step] - self.overhead, 0.0)

    def _fixed(self, step: str) -> float:
        """Seconds of a step that its rows do not account for: pipeline and first use."""
        return max(self.overhead, self.first_costs[step] - self._beyond(step))

    def _per_pair_cost(self, name: str) -> tuple[float, float]:
        """Seconds and bytes of a stage for each pair, the overhead of a pipeline apart."""
        run = self.run
        sets = {"judge": run.judged, "select": run.verdicts, "score": run.sets}
        size = sum(part["bytes"] for part in sets[name].manifest()["parts"])
        pairs = max(run.judged.rows, 1)
        return self._beyond(name) / pairs, size / pairs

    def _per_pair(self, name: str, artifact: Artifact | None) -> Stage:
        seconds, size = self._per_pair_cost(name)
        total = self._fixed(name) + seconds * self.pairs
        return self._stage(
            artifact, name, name, self.pairs, "pairs", (total, total), size * self.pairs,
            self._pairs_note(),
        )  # fmt: skip

    def _pairs_note(self) -> str:
        if self.union:
            return "pairs estimated from the candidates on disk"
        return "at most; sources share candidates"

    def _judge(self) -> Stage:
        artifact = self.rehearsal.judge_artifact
        seconds, size = self._per_pair_cost("judge")
        cheap = [j for j in self.config.judge.flat() if j.kind in {"fusion", "late_interaction"}]
        if self.config.judge.kind in {"cascade", "vote"}:
            seconds, size = seconds * (1 + len(cheap)), size * (1 + len(cheap))
        least = most = self._fixed("judge") + seconds * self.pairs
        note = self._pairs_note()
        readers = [j for j in self.config.judge.flat() if j.kind == "cross_encoder"]
        if readers and (artifact is None or artifact.left):
            low, high = self._reading(readers)
            least, most = least + low[1], most + high[1]
            note = f"reads {low[0]:,} to {high[0]:,} pairs; {note}"
        copied: float = tree_bytes(self.run.ingested["documents"].directory / "_local")
        sampled = sum(len(text.encode()) for text in self.sample.texts("documents"))
        copied = copied * self.sample.text_bytes["documents"] / max(sampled, 1)
        return self._stage(
            artifact, "judge", f"judge {self.config.judge.kind}", self.pairs, "pairs",
            (least, most), size * self.pairs + copied, note,
        )  # fmt: skip

    def _reading(self, readers: Sequence[Judge]) -> tuple[tuple[int, float], tuple[int, float]]:
        """Fewest and most pairs that cross-encoders read, with the seconds of each."""
        quota = Selection.of(self.config).quota
        low, high = pairs_read(self.config.judge, self.positives, self.queries, quota, self.pairs)
        texts = self.sample.texts("queries"), self.sample.texts("documents")
        costs = [measure_pairs(judge, *texts) for judge in readers]
        load, rate = sum(c[0] for c in costs), float(np.mean([c[1] for c in costs]))
        return (low, load + low * rate), (high, load + high * rate)

    def _publish(self) -> Stage:
        share = self.pairs / max(self.run.judged.rows, 1)
        seconds = self._fixed("publish") + share * self._beyond("publish")
        size: float = tree_bytes(Path(self.run.config.output.path) / "runs") * share
        return self._stage(
            None, "publish", "publish", self.queries, "queries", (seconds, seconds), size
        )

    def postings(self) -> float:
        """Postings that the BM25 index of the whole corpus would have."""
        return bm25_scorer(self.run).index.postings.rows * self._text_share()

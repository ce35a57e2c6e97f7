"""`negmine plan`: what a run would take and write, estimated before any long stage runs."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.judging.given_scores import score_files
from negmine.jobs.mining.models import EncoderChoice, judge_students
from negmine.jobs.mining.retrieval import fill_given
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.cross_fit import CrossFitStudent
from negmine.jobs.plan.counts import most_candidates, pairs_read, union_size
from negmine.jobs.plan.extrapolation import Extrapolation, texts_of
from negmine.jobs.plan.kernels import bm25_seconds, dense_seconds
from negmine.jobs.plan.reuse import Asked, asked_by, is_new, judge_kind, unknown
from negmine.jobs.plan.sample import Size, mine_samples, take_sample, tree_bytes
from negmine.jobs.plan.table import Plan, Stage
from negmine.jobs.workdir.artifacts import Artifact
from negmine.pipelines.graph import STAGES
from negmine.schemas.config import Config
from negmine.schemas.judges import EncoderJudge, Precomputed
from negmine.schemas.selection import Selection
from negmine.schemas.sources import SOURCES
from negmine.transforms import storage
from negmine.transforms.data.columns import LOCAL
from negmine.transforms.kernels.search.token_codes import DOCUMENT_BITS
from negmine.transforms.sources.search import AUTO_SHARD

_READ, _PLACED = 20e6, 80e6
"""Bytes of somebody else's files that are read, and of vectors that are put on positions, in a
second: assumed, not measured."""
_CHEAP = ("fusion", "late_interaction")
"""Judges that read no pairs one by one."""
_HELD_OF_WRITTEN = 16 / DOCUMENT_BITS / 2
"""Bytes of token vectors as a model gives them, of those written: packed, twice."""
_COUNTED = dict.fromkeys(("bm25_index", "index"), "documents")
_COUNTED |= dict.fromkeys(("judge", "select", "score", "lists"), "pairs")
"""What there is to do in a stage, where it is not queries."""


def plan(config: Config, options: Sequence[str] = ()) -> Plan:
    """Ingest and edit, time samples, extrapolate; no later stage of the run is started or written.

    Raises what `mine` raises for an input or a model that is not there, before any work.
    """
    run = MiningRun(config, options)
    run.check()
    _ = run.texts
    with tempfile.TemporaryDirectory(prefix="negmine-plan-") as folder:
        estimate = Estimate(run, Path(folder))
        return Plan(tuple(estimate.stages()), estimate.largest())


class Estimate:
    """What a run would take, from the artifacts it asks for and from samples mined in a folder."""

    def __init__(self, run: MiningRun, folder: Path) -> None:
        self.run, self.config, self.ingest = run, run.config, run.work.timings["ingest"]
        sample, characters = take_sample(run)
        self.given = fill_given(run).mined() if self.config.sources.given else 0
        each = -(-self.given // max(run.rows("queries"), 1))
        self.mined = mine_samples(run, sample, each, folder)  # before anything else loads a model
        self.last, self.width = self.mined[-1], self.mined[-1].width
        self.asked = asked_by(run)
        self.size, self.pairs_note = self._whole(each, characters)
        judges = [j for j in self.config.judge.flat() if isinstance(j, EncoderJudge)]
        settings = [s for j in judges for s in judge_students(j, self.config.student)]
        others = (run.encoder(s, "judge") for s in settings)
        own = run.student.folds if isinstance(run.student, CrossFitStudent) else (run.student,)
        encoders = [e for e in (*own, *others) if isinstance(e, EncoderChoice)]
        self.whole = Extrapolation(self.mined, self.size, encoders)
        self.overhead = self.whole.overhead
        share = self.size.text / max(self.last.size.text, 1)
        self.postings = share * bm25_scorer(self.last.run).index.postings.rows
        # Judging maps copies of the documents.
        self.copied = share * tree_bytes(self.last.run.ingested["documents"].directory / LOCAL)
        self.loaded: set[str] = set()

    def _whole(self, each: int, characters: dict[str, np.ndarray]) -> tuple[Size, str]:
        """The size of the collection; pairs are counted on disk, or else as many as can be."""
        run, sources = self.run, self.config.sources.on()
        documents, queries = run.rows("documents"), run.rows("queries")
        on_disk = [a.dataset for a in self.asked if "source" in a.artifact.key]
        pairs = union_size([*on_disk, run.ingested["positives"]], documents, queries)
        note = "pairs estimated from the candidates on disk"
        if pairs is None:
            pairs = queries * most_candidates(self.config, documents, each) + run.rows("positives")
            note = "at most; sources share candidates"
        most = {name: getattr(sources[name], SOURCES[name].bound or "", each) for name in sources}
        candidates = {str(name): float(min(documents, bound)) for name, bound in most.items()}
        return Size(documents, queries, pairs, candidates, characters), note

    def stages(self) -> list[Stage]:
        """Every stage in the order of the run."""
        order, size, took = [*STAGES, "publish"], self.size, self.ingest["seconds"]
        held = self.run.budget.expected(
            size.documents, size.queries, self.width, self.postings, int(size.text)
        )
        held["index bm25"] = held["bm25_index"]
        written = tree_bytes(self.run.ingested["documents"].directory.parent)
        state = "reused" if self.ingest["reused"] else "done"
        rows, memory = size.documents + size.queries, held["ingest"]
        found = [Stage("ingest", "ingest", rows, "rows", took, took, written, state, memory=memory)]
        for asked in sorted(self.asked, key=lambda a: order.index(a.artifact.stage)):
            stage, label = asked.artifact.stage, asked.artifact.label
            command = STAGES[stage].command if stage in STAGES else stage
            memory = held.get(label) or held.get(stage) or held[command]
            found.append(self._stage(asked, memory))
        return found

    def _stage(self, asked: Asked, memory: int) -> Stage:
        """A step of the run, less what of it is on disk."""
        artifact, left = asked.artifact, asked.left
        what, rows, unit = self._work(artifact)
        if not left:
            return Stage(artifact.stage, what, rows, unit, 0.0, 0.0, 0, "reused", "", memory)
        seconds, written = self.whole.scaled(artifact)
        note, more = self.pairs_note if unit == "pairs" else "", 0.0
        match artifact.stage:
            case "embed":
                seconds, written, note = self._embed(artifact)
            case "retrieve":
                seconds = self._search(artifact) or seconds
            case "index":
                note = "building is not timed"
            case "judge":
                seconds, more, written, note = self._judge(artifact)
            case "lists":
                seconds, more, note = self._lists()
        if unit in {"rows", "bytes"}:
            files = self._file_bytes(artifact)
            seconds = self.overhead + files / _READ
            written = written or files / 2
            note = f"reading at {_READ / 1e6:.0f} MB/s is assumed"
        if left < 1:
            note = "; ".join(filter(None, (f"{1 - left:.0%} is on disk", note)))
        least, most, written = seconds * left, (seconds + more) * left, round(written * left)
        costs = round(least, 3), round(most, 3), written
        return Stage(artifact.stage, what, rows, unit, *costs, "estimate", note, memory)

    def _work(self, artifact: Artifact) -> tuple[str, int, str]:
        """What a step is called, and how much of what there is to do."""
        what = artifact.label or artifact.stage
        match artifact.stage:
            case "embed":
                encoder = self.whole.encoder(artifact)
                if encoder and encoder.section != "student":
                    what = f"{what}, {encoder.weights.name}"
                return what, artifact.rows, texts_of(artifact)
            case "judge":
                what = f"judge {judge_kind(artifact, self.config.judge.kind)}"
            case "retrieve" if artifact.key.get("source") == "given":
                return what, self.given, "rows"
            case "precomputed":
                return what, self._file_bytes(artifact), "bytes"
        unit = _COUNTED.get(artifact.stage)
        return what, getattr(self.size, unit) if unit else artifact.rows, unit or "queries"

    def _file_bytes(self, artifact: Artifact) -> int:
        """Bytes of somebody else's files that an artifact is read from."""
        if artifact.stage == "retrieve":
            files = list(fill_given(self.run).files)
        else:
            paths = [j.path for j in self.config.judge.flat() if isinstance(j, Precomputed)]
            files = score_files(paths[0])
        return sum(storage.state(file)[0] for file in files)

    def _embed(self, artifact: Artifact) -> tuple[float, float, str]:
        """Seconds by what is read of texts that no earlier artifact holds, bytes and a note."""
        encoder, texts = self.whole.encoder(artifact), texts_of(artifact)
        written = 2.0 * artifact.rows * (4 * self.width + 24)
        if encoder is None:
            note = f"placing at {_PLACED / 1e6:.0f} MB/s is assumed"
            return self.overhead + written / 2 / _PLACED, written, note
        new = is_new(self.run, artifact, self.run.ingested[texts])
        characters = np.minimum(
            self.size.characters[texts][new], self.whole.characters_read(artifact)
        )
        seconds = self.overhead + self.whole.line(artifact)[1] * float(characters.sum())
        if encoder.digest not in self.loaded:  # by the first artifact that is to be made
            self.loaded.add(encoder.digest)
            loading = self.mined[0].taken[f"embed documents {encoder.digest}"].artifact
            seconds += self.whole.line(loading)[0] - self.overhead
        if artifact.key["tokens"]:
            written = self.whole.scaled(artifact)[1]
        return seconds, written, "" if new.all() else f"{int(new.sum()):,} texts are new"

    def _search(self, artifact: Artifact) -> float | None:
        """Seconds of what reads an index; None for other sources, which a sample tells of."""
        sources, counts = self.config.sources, (self.size.documents, self.size.queries)
        match artifact.key.get("source"):
            case "dense" if sources.dense:
                return self.overhead + dense_seconds(self.width, *counts, sources.dense.depth)
            case "bm25" if sources.bm25:
                asking = self.last.sample.queries
                return self.overhead + bm25_seconds(self.last.run, sources.bm25, asking, *counts)
        return None

    def _judge(self, artifact: Artifact) -> tuple[float, float, float, str]:
        """Seconds by the pairs, how many more there may be, bytes and a note.

        A judge that reads pairs one by one takes the more the more it drops. One that is made of
        others does their work too, unless their own artifacts are in the plan.
        """
        judge, note = self.config.judge, self.pairs_note
        kind = judge_kind(artifact, judge.kind)
        cheap = [j.kind for j in judge.flat() if j.kind in _CHEAP]
        name = kind if kind in _CHEAP else (cheap or ["none"])[0]
        seconds, written = self.whole.scaled(artifact, f"judge {name}")
        if kind != judge.kind:
            return seconds, 0.0, written, note
        if kind in {"cascade", "vote"}:
            known = sum(asked.artifact.stage == "judge" for asked in self.asked)
            times = 1 + max(0, len(cheap) + 1 - known)
            seconds, written = times * seconds, times * written
        written += self.copied
        if not any(j.kind == "cross_encoder" for j in judge.flat()):
            return seconds, 0.0, written, note
        quota, own = Selection.of(self.config).quota, self.run.rows("positives")
        low, high = pairs_read(judge, own, self.size.queries, quota, self.size.pairs)
        check = self.mined[0].taken["check judge cross_encoder"].artifact
        rate = self.whole.line(check)[1]
        note = f"reads {low:,} to {high:,} pairs; {note}"
        return seconds + low * rate, (high - low) * rate, written, note

    def _lists(self) -> tuple[float, float, str]:
        """Seconds of teacher lists, how many more there may be, and a note.

        A judge that reads pairs one by one reads those that it was not asked for before.
        """
        lists, judge = self.config.lists, self.config.judge
        seconds = self.whole.scaled(Artifact("lists", {}, 0, unknown), "select")[0]
        if lists is None or not any(j.kind == "cross_encoder" for j in judge.flat()):
            return seconds, 0.0, ""
        quota = Selection.of(self.config).quota
        most = min(lists.size * self.size.queries, self.size.pairs)
        least = max(most - self.run.rows("positives") - quota * self.size.queries, 0)
        rate = self.whole.line(self.mined[0].taken["check judge cross_encoder"].artifact)[1]
        note = f"reads {least:,} to {most:,} pairs"
        return seconds + least * rate, (most - least) * rate, note

    def largest(self) -> tuple[str, int]:
        """The largest single thing that a worker holds or maps, and its bytes."""
        documents = max(self.size.documents, 1)
        shard, block = min(documents, AUTO_SHARD), self.config.runner.block_size
        items = {
            "vectors of a shard of documents": 4.0 * shard * self.width,
            "BM25 weights of a shard": 8 * self.postings * shard / documents,
        }
        if isinstance(self.run.student, EncoderChoice):
            weights = Path(self.run.student.weights.folder).glob("**/*.safetensors")
            items["the student's weights"] = sum(file.stat().st_size for file in weights)
        for artifact in (asked.artifact for asked in self.asked):
            if artifact.key.get("tokens") and texts_of(artifact) == "documents":
                vectors = self.whole.scaled(artifact)[1] / documents * _HELD_OF_WRITTEN
                items["token vectors of a block"] = min(documents, block) * vectors
        what = max(items, key=lambda name: items[name])
        return what, round(items[what])

"""`negmine plan`: what a run would take and write, estimated before any long stage runs."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from negmine.jobs.mining.models import EncoderChoice, judge_student
from negmine.jobs.mining.retrieval import bm25_scorer, fill_given
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.scores import score_files
from negmine.jobs.plan.counts import Tokens, most_candidates, pairs_read, union_size
from negmine.jobs.plan.reuse import Asked, asked_by, is_new
from negmine.jobs.plan.sample import Size, artifact_name, mine_samples, take_sample, tree_bytes
from negmine.jobs.plan.search import bm25_seconds, dense_seconds
from negmine.jobs.plan.table import Plan, Stage
from negmine.jobs.workdir.artifacts import Artifact
from negmine.pipelines.graph import STAGES
from negmine.schemas.config import Config
from negmine.schemas.selection import Selection
from negmine.schemas.sources import SOURCES
from negmine.transforms import storage
from negmine.transforms.judging.sample import RANDOM
from negmine.transforms.sources.search import AUTO_SHARD

_READ, _PLACED = 20e6, 80e6
"""Bytes of somebody else's files that are read, and of vectors that are put on positions, in a
second: assumed, not measured."""
_READING = f"reading at {_READ / 1e6:.0f} MB/s is assumed"
_CHEAP = ("fusion", "late_interaction")
"""Judges that read no pairs one by one."""

_COUNTED = {
    "bm25_index": "documents",
    "index": "documents",
    "judge": "pairs",
    "select": "pairs",
    "score": "pairs",
}
"""What there is to do, where it is not queries."""


def plan(config: Config, options: Sequence[str] = ()) -> Plan:
    """Ingest, time a sample, and extrapolate; no later stage of the run is started or written.

    Raises what `mine` raises for an input or a model that is not there, before any work.
    """
    run = MiningRun(config, options)
    run.check()
    _ = run.ingested
    with tempfile.TemporaryDirectory(prefix="negmine-plan-") as folder:
        estimate = Estimate(run, Path(folder))
        return Plan(tuple(estimate.stages()), estimate.largest())


class Estimate:
    """What a run would take, from the artifacts it asks for and from samples mined in a folder."""

    def __init__(self, run: MiningRun, folder: Path) -> None:
        self.run, self.config, self.ingest = run, run.config, run.work.timings["ingest"]
        self.asked = asked_by(run)
        sample, characters = take_sample(run)
        self.given = fill_given(run).mined() if self.config.sources.given else 0
        each = -(-self.given // max(run.rows("queries"), 1))
        self.size = self._whole(each, characters)
        self.mined = list(mine_samples(run, sample, each, folder))
        self.last, self.width = self.mined[-1], self.mined[-1].width
        self.overhead = min(t.seconds for m in self.mined for t in m.taken.values())
        """Seconds of any pipeline."""
        judges = (
            judge_student(j, self.config.student)
            for j in self.config.judge.flat()
            if j.kind in _CHEAP
        )
        students = (run.student, *(run.encoder(settings, "judge") for settings in judges))
        self.encoders = [e for e in students if isinstance(e, EncoderChoice)]
        self.tokens: dict[tuple[str, str], Tokens] = {}
        self.loaded: set[str] = set()

    def _whole(self, each: int, characters: dict[str, np.ndarray]) -> Size:
        """The size of the collection; pairs are counted on disk, or else as many as can be."""
        run, sources = self.run, self.config.sources.on()
        documents, queries = run.rows("documents"), run.rows("queries")
        on_disk = [a.dataset for a in self.asked if "source" in a.artifact.key]
        counted = union_size([*on_disk, run.ingested["positives"]], documents, queries)
        most = queries * most_candidates(self.config, documents, each) + run.rows("positives")
        self.pairs_note = (
            "pairs estimated from the candidates on disk"
            if counted
            else "at most; sources share candidates"
        )
        bounds = {name: SOURCES[name].bound for name in sources}
        candidates = {
            str(name): float(min(documents, getattr(settings, bounds[name] or "", each)))
            for name, settings in sources.items()
        }
        return Size(documents, queries, counted or most, candidates, characters)

    def stages(self) -> list[Stage]:
        """Every stage in the order of the run."""
        size, order = self.size, [*STAGES, "publish"]
        text = int(size.characters["documents"].sum())
        held = self.run.budget.expected(
            size.documents, size.queries, self.width, self._postings(), text
        )
        held["index bm25"] = held["bm25_index"]
        rows, took = size.documents + size.queries, self.ingest
        stages = [
            Stage(
                "ingest", "ingest", rows, "rows", took["seconds"], took["seconds"],
                tree_bytes(self.run.ingested["documents"].directory.parent),
                "reused" if took["reused"] else "done",
            ),
            *(
                self._stage(asked)
                for asked in sorted(self.asked, key=lambda a: order.index(a.artifact.stage))
            ),
        ]  # fmt: skip
        found = []
        for stage in stages:
            command = STAGES[stage.stage].command if stage.stage in STAGES else stage.stage
            memory = held.get(stage.what) or held.get(stage.stage) or held[command]
            found.append(replace(stage, memory=memory))
        return found

    def _stage(self, asked: Asked) -> Stage:
        """A step of the run, less what of it is on disk."""
        artifact, left = asked.artifact, asked.left
        kind = artifact.stage
        unit = _COUNTED.get(kind, "queries")
        rows = getattr(self.size, unit) if kind in _COUNTED else artifact.rows
        seconds, size = self._scaled(artifact)
        stage = Stage(
            kind, artifact.label or kind, rows, unit, seconds, seconds, round(size), "estimate"
        )
        better = {
            "embed": self._embed,
            "retrieve": self._retrieve,
            "precomputed": self._scores,
            "judge": self._judge,
        }
        if kind in better:
            stage = better[kind](asked, stage)
        elif kind in _COUNTED and unit == "pairs":
            stage = replace(stage, note=self.pairs_note)
        elif kind == "index":
            stage = replace(stage, note="building is not timed")
        if not left:
            return replace(stage, seconds=0.0, seconds_most=0.0, bytes=0, state="reused", note="")
        note = "; ".join(filter(None, [f"{1 - left:.0%} is on disk" * (left < 1), stage.note]))
        return replace(
            stage,
            seconds=round(stage.seconds * left, 3),
            seconds_most=round(stage.seconds_most * left, 3),
            bytes=round(stage.bytes * left),
            note=note,
        )

    def _units(self, artifact: Artifact, size: Size) -> float:
        """What the cost of an artifact grows with: its rows, where there is nothing better."""
        candidates = size.candidates
        match artifact.stage:
            case "embed":
                return self._tokens(artifact).padded(size.characters[_texts(artifact)])
            case "bm25_index":
                return float(size.characters["documents"].sum())
            case "retrieve":
                most = max(candidates.values(), default=1.0)
                return size.queries * candidates.get(artifact.key.get("source", ""), most)
            case "check_judge":
                each = sum(candidates.values()) if artifact.waits else 1 + RANDOM
                return artifact.rows * each
            case "judge" | "select" | "score" | "publish":
                return size.pairs
        return artifact.rows

    def _line(self, artifact: Artifact, name: str = "") -> tuple[float, float, float, float]:
        """Fixed seconds, seconds a unit, fixed bytes and bytes a unit.

        What the process loads belongs to the fixed part: the first sample paid for it. `name` is
        of the step of a sample that tells, where it is not that of the artifact.
        """
        both = [(m, m.taken.get(name or artifact_name(artifact))) for m in self.mined]
        found = [(self._units(t.artifact, m.size), t.seconds, t.bytes) for m, t in both if t]
        if not found:
            return self.overhead, 0.0, 0.0, 0.0
        units, cold, _ = found[0]
        (few, first, less), (many, last, more) = found[-2:] if len(found) > 1 else found * 2
        if len(found) < 3 or many <= few:
            rate = max(last - self.overhead, 0.0) / max(many, 1)
        else:
            rate = max(last - first, 0.0) / (many - few)
        size = max(more - less, 0) / (many - few) if many > few else more / max(many, 1)
        return max(self.overhead, cold - rate * units), rate, max(more - size * many, 0.0), size

    def _scaled(self, artifact: Artifact, name: str = "") -> tuple[float, float]:
        fixed, rate, base, size = self._line(artifact, name)
        units = self._units(artifact, self.size)
        return fixed + rate * units, base + size * units

    def _encoder(self, artifact: Artifact) -> EncoderChoice | None:
        """The model that makes vectors; None where they are given."""
        key = artifact.key["encoder"]
        return next((e for e in self.encoders if e.identity.items() <= key.items()), None)

    def _tokens(self, artifact: Artifact) -> Tokens:
        encoder, texts = self._encoder(artifact), _texts(artifact)
        if encoder is None:
            return Tokens()
        name = (texts, encoder.digest)
        if name not in self.tokens:
            from negmine.transforms.models.encoder import load_encoder

            kind = "query" if texts == "queries" else "document"
            own = getattr(self.last.sample, texts)["text"].to_pylist()
            self.tokens[name] = Tokens.of(load_encoder(encoder.spec()), kind, own)
        return self.tokens[name]

    def _embed(self, asked: Asked, stage: Stage) -> Stage:
        """By the tokens of the texts that no earlier artifact holds; a model is loaded once."""
        artifact, texts = asked.artifact, _texts(asked.artifact)
        encoder, characters = self._encoder(artifact), self.size.characters[texts]
        size = len(characters) * (4 * self.width + 24)
        if encoder is None:
            note = f"placing at {_PLACED / 1e6:.0f} MB/s is assumed"
            stage = _lasting(stage, self.overhead + size / _PLACED, note=note)
            return replace(stage, unit=texts, bytes=2 * size)
        if encoder.section != "student":
            stage = replace(stage, what=f"{stage.what}, {encoder.weights.name}")
        tokens, seconds, note = self._tokens(artifact), self.overhead, ""
        if asked.left:
            new = is_new(self.run, artifact, self.run.ingested[texts])
            seconds += self._line(artifact)[1] * tokens.padded(characters[new])
            note = "" if new.all() else f"{int(new.sum()):,} texts are new"
            if encoder.digest not in self.loaded:
                self.loaded.add(encoder.digest)
                loading = self.mined[0].taken[f"embed documents {encoder.digest}"].artifact
                seconds += self._line(loading)[0] - self.overhead
        if artifact.key["tokens"]:
            size += round(2 * self.width * float(tokens.count(characters).sum()))
        return replace(_lasting(stage, seconds, note=note), unit=texts, bytes=2 * size)

    def _retrieve(self, asked: Asked, stage: Stage) -> Stage:
        """Of what reads an index its kernel is timed, for a sample is too small to search."""
        source, sources, size = asked.artifact.key.get("source"), self.config.sources, self.size
        counts = size.documents, size.queries
        if not asked.left:
            return stage
        if source == "dense" and sources.dense:
            seconds = dense_seconds(self.width, *counts, sources.dense.depth)
        elif source == "bm25" and sources.bm25:
            texts = self.last.sample.queries["text"].to_pylist()
            seconds = bm25_seconds(self.last.run, sources.bm25, texts, *counts)
        elif source == "given":
            files = fill_given(self.run).files
            seconds = sum(storage.state(file)[0] for file in files) / _READ
            stage = replace(stage, rows=self.given, unit="rows", note=_READING)
        else:
            return stage
        return _lasting(stage, self.overhead + seconds, note=stage.note)

    def _scores(self, asked: Asked, stage: Stage) -> Stage:
        """By the bytes of the files of scores."""
        paths = [j.path for j in self.config.judge.flat() if j.kind == "precomputed" and j.path]
        size = sum(storage.state(file)[0] for path in paths for file in score_files(path))
        size //= len(paths)
        stage = _lasting(stage, self.overhead + size / _READ, note=_READING)
        return replace(stage, rows=size, unit="bytes", bytes=size // 2)

    def _judge(self, asked: Asked, stage: Stage) -> Stage:
        """By the pairs; a judge that reads them one by one takes the more the more it drops."""
        judge, pairs = self.config.judge, self.size.pairs
        kind = asked.artifact.key.get("judge", {}).get("kind", judge.kind)
        cheap = [j.kind for j in judge.flat() if j.kind in _CHEAP]
        name = kind if kind in _CHEAP else (cheap or ["none"])[0]
        seconds, size = self._scaled(asked.artifact, f"judge {name}")
        stage = replace(
            _lasting(stage, seconds, self.pairs_note), what=f"judge {kind}", bytes=round(size)
        )
        if kind != judge.kind:
            return stage
        listed = sum(a.artifact.stage == "judge" for a in self.asked)
        if judge.kind in {"cascade", "vote"}:
            more = 1 + max(0, len(cheap) - listed + 1)
            stage = replace(
                _lasting(stage, more * stage.seconds, self.pairs_note), bytes=more * stage.bytes
            )
        readers = [j for j in judge.flat() if j.kind == "cross_encoder"]
        if not readers:
            return stage
        quota, own = Selection.of(self.config).quota, self.run.rows("positives")
        low, high = pairs_read(judge, own, self.size.queries, quota, pairs)
        check = self.mined[0].taken["check judge cross_encoder"].artifact
        rate = self._line(check)[1]
        return replace(
            stage,
            seconds=stage.seconds + low * rate,
            seconds_most=stage.seconds + high * rate,
            note=f"reads {low:,} to {high:,} pairs; {self.pairs_note}",
        )

    def _postings(self) -> float:
        """Postings that the BM25 index of the whole corpus would have."""
        texts = (size.characters["documents"].sum() for size in (self.size, self.last.size))
        whole, sampled = texts
        return bm25_scorer(self.last.run).index.postings.rows * float(whole) / max(sampled, 1)

    def largest(self) -> tuple[str, int]:
        """The largest single thing that a worker holds or maps, and its bytes."""
        documents = self.size.documents
        shard = min(documents, AUTO_SHARD)
        items = {
            "vectors of a shard of documents": 4.0 * shard * self.width,
            "BM25 weights of a shard": 8 * self._postings() * shard / max(documents, 1),
        }
        student = self.run.student
        if isinstance(student, EncoderChoice):
            weights = Path(student.weights.folder).glob("**/*.safetensors")
            items["the student's weights"] = sum(file.stat().st_size for file in weights)
        for artifact in (a.artifact for a in self.asked if a.artifact.key.get("tokens")):
            if _texts(artifact) == "documents":
                tokens = self._tokens(artifact).count(self.size.characters["documents"])
                block = min(documents, self.config.runner.block_size)
                items["token vectors of a block"] = 4 * block * float(tokens.mean()) * self.width
        what = max(items, key=lambda name: items[name])
        return what, round(items[what])


def _texts(artifact: Artifact) -> str:
    """Which texts an artifact of vectors is of."""
    return "documents" if "documents" in artifact.key else "queries"


def _lasting(stage: Stage, seconds: float, note: str) -> Stage:
    return replace(stage, seconds=seconds, seconds_most=seconds, note=note)

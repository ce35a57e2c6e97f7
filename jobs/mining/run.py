"""The stages of a run, in order: each asks the work directory for its artifact, made or reused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negmine.jobs.mining.embedding import embed
from negmine.jobs.mining.given_vectors import (
    GivenStudent,
    check_vectors,
    given_student,
    placed_vectors,
)
from negmine.jobs.mining.models import EncoderChoice, Models, check_models, judge_student
from negmine.jobs.runner.budget import Budget
from negmine.jobs.runs.remarks import Remarks
from negmine.jobs.workdir.artifacts import Work, making
from negmine.schemas.config import Config, Student
from negmine.schemas.errors import DataError, NegmineError, StorageError
from negmine.schemas.selection import Selection
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.pairs.features import Collection

if TYPE_CHECKING:
    from negmine.jobs.mining.judgement import Judgement
    from negmine.jobs.mining.preflight.judges import JudgeCheck
    from negmine.transforms.kernels.choosing.calibration import Calibration
    from negmine.transforms.readers.rows import Source

STAGES = ("ingest", "embed", "retrieve", "judge", "select", "score", "publish")
_INGESTED = ("documents", "queries", "positives", "confirmed_negatives", "dead_letters")


def ingested_counts(directory: Path) -> dict[str, Any]:
    """What `counts.json` of an ingested collection holds, checked as far as it decides."""
    file = directory / "counts.json"
    try:
        counts = storage.read_json(storage.fetch(file))
        checked = ("rows", "dead_letters", "evaluation_queries", "merged_queries")
        return {**counts, **{name: int(counts[name]) for name in checked}}
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise StorageError(
            f"{file} cannot be read ({error}); remove {directory} and run again to make it anew"
        ) from error


@dataclass
class Miner:
    """One run: its stages as properties, each made on first use from the ones before."""

    config: Config
    options: Sequence[str] = ()
    work: Work = field(init=False)
    budget: Budget = field(init=False)
    remarks: Remarks = field(init=False, default_factory=Remarks)
    models: Models = field(init=False, default_factory=Models)

    def __post_init__(self) -> None:
        from negmine.jobs.runner.options import resolve

        self.options = resolve(self.config.runner, self.options)
        self.budget = Budget(self.config)
        block_size = self.budget.block_size
        output = self.config.output
        root = storage.local_path(output.workdir or output.path)
        if not output.workdir:
            root /= "work"
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"cannot create the work directory {root}: {error.strerror}; choose another with "
                "--output DIR or output.workdir"
            ) from error
        self.work = Work(root, block_size, self.options)

    def check(self) -> None:
        """Raise at once for an input or a model that is not there."""
        from negmine.transforms.readers import check

        check(self.config.input)
        check_models(self.config)
        check_vectors(self.config.student)

    @cached_property
    def input_fingerprint(self) -> dict[str, Any]:
        """What identifies the collection's content; no absolute paths."""
        return dict(self._identified[0])

    @cached_property
    def _identified(self) -> "tuple[dict[str, object], Sequence[Source]]":
        from negmine.transforms.readers import identified

        return identified(self.config.input, self.config.seed, self.work.sums)

    @cached_property
    def ingested(self) -> dict[str, Dataset]:
        """Documents, queries, positives and dead letters."""
        key = {"input": self.input_fingerprint}
        directory, found = self.work.path("ingest", key)
        datasets = {name: Dataset(str(directory / name)) for name in _INGESTED}
        reused = all(dataset.finished for dataset in datasets.values())
        with self.work.timed("ingest", reused):
            if not reused:
                with making(directory):
                    if not all(dataset.finished for dataset in datasets.values()):
                        self._ingest(str(directory))
                        for name, dataset in datasets.items():
                            dataset.finish(fingerprint=f"{found}/{name}", stage="ingest")
        self._check_bad_rows(directory)
        self.work.block_size = self.budget.queries_in_a_block(datasets["documents"].rows)
        return datasets

    def _check_bad_rows(self, directory: Path) -> None:
        """Hold a reused collection to this run's limit too."""
        counts = ingested_counts(directory)
        limit = self.config.input.bad_rows
        bad = counts["dead_letters"] - counts["evaluation_queries"]
        if bad > limit * counts["rows"]:
            raise DataError(
                f"{bad:,} of {counts['rows']:,} rows cannot be used, and "
                f"input.bad_rows allows a share of {limit:g}; the bad rows are in "
                f"{directory / 'dead_letters'}"
            )

    def _ingest(self, directory: str) -> None:
        from negmine.jobs.runner.pipeline import run_pipeline
        from negmine.jobs.runner.progress import progress
        from negmine.pipelines.ingest import IngestTask, build
        from negmine.transforms.ingesting.ingest import RAW

        with progress("ingest", None, ()):
            what = (self.config.input, self.config.seed, directory)
            task = IngestTask(*what, memory=self.budget.database(), sources=self._identified[1])
            try:
                run_pipeline(build, task, self.options)
            except NegmineError:
                storage.remove_tree(Path(directory) / RAW)
                raise

    def rows(self, name: str) -> int:
        """Rows of an ingested data set."""
        return self.ingested[name].rows

    def key(self, *names: str) -> dict[str, Any]:
        """Fingerprints of ingested data sets."""
        return {name: self.ingested[name].manifest()["fingerprint"] for name in names}

    @cached_property
    def student(self) -> EncoderChoice | GivenStudent:
        """The student with its precision settled, or the vectors that stand in for it."""
        _ = self.ingested
        with self.work.timed("embed", reused=True):
            if self.config.student.vectors is not None:
                return given_student(self.config.student, self.work.sums)
            return self._encoder(self.config.student, "student")

    def token_encoder(self, settings: Student) -> EncoderChoice:
        """An encoder that judges, with its precision settled; looked for once a run."""
        return self._encoder(settings, "judge")

    def _encoder(self, settings: Student, section: str) -> EncoderChoice:
        return self.models.encoder(settings, self.ingested["documents"], self.work.root, section)

    def embed(self, texts: str, encoder: EncoderChoice, tokens: bool) -> Dataset:
        """Vectors of `documents` or `queries`."""
        return embed(self, texts, encoder, tokens)

    def earlier_vectors(self, identity: dict[str, Any], tokens: bool) -> list[Dataset]:
        """Finished artifacts of an encoder, whatever the texts."""
        found = []
        for directory in storage.folders(self.work.root / "embed"):
            dataset = Dataset(str(directory))
            if dataset.finished:
                manifest = dataset.manifest()
                if manifest.get("encoder") == identity and manifest["tokens"] >= tokens:
                    found.append(dataset)
        return found

    @cached_property
    def student_gives_tokens(self) -> bool:
        settings = [
            judge_student(judge, self.config.student)
            for judge in self.config.judge.flat()
            if judge.kind in {"late_interaction", "fusion"}
        ]
        return any(self.token_encoder(s).identity == self.student.identity for s in settings)

    @cached_property
    def document_vectors(self) -> Dataset:
        return self._student_vectors("documents")

    @cached_property
    def query_vectors(self) -> Dataset:
        return self._student_vectors("queries")

    def _student_vectors(self, texts: str) -> Dataset:
        student = self.student
        if isinstance(student, GivenStudent):
            return self.place(texts, student)
        return self.embed(texts, student, self.student_gives_tokens)

    def place(self, texts: str, student: GivenStudent) -> Dataset:
        """Given vectors of `documents` or `queries` by position."""
        return placed_vectors(self, texts, student)

    @cached_property
    def collection(self) -> Collection:
        """Everything that later stages look up by position."""
        sets = self.ingested
        return Collection(
            sets["documents"],
            sets["queries"],
            sets["positives"],
            self.document_vectors,
            self.query_vectors,
            sets.get("confirmed_negatives"),
            self.config.student.normalize,
            self.config.input.queries_are_documents,
        )

    @cached_property
    def candidates(self) -> dict[str, Dataset]:
        """Candidates of each source that is on."""
        from negmine.jobs.mining.retrieval import retrieve

        return retrieve(self)

    @cached_property
    def judgement(self) -> "Judgement":
        """The judge, ready to score."""
        from negmine.jobs.mining.judgement import make_judge

        return make_judge(self, self.config.judge)

    @cached_property
    def judge_checks(self) -> "list[JudgeCheck]":
        """How well each judge tells known positives from random documents, measured beforehand."""
        from negmine.jobs.mining.preflight.judges import measure_judges

        return measure_judges(self)

    @cached_property
    def calibration(self) -> "Calibration":
        """The judge's scores of the known positives."""
        from negmine.jobs.mining.judgement import calibrate

        return calibrate(self, self.judgement)

    @cached_property
    def selection(self) -> Selection:
        """What negatives are chosen by, thresholds filled in."""
        selection = Selection.of(self.config)
        if not selection.needs_calibration:
            return selection
        return selection.calibrated(self.calibration.threshold)

    @cached_property
    def judged(self) -> Dataset:
        """Every candidate and positive with its features and judge score."""
        from negmine.jobs.mining.judgement import judged_by

        return judged_by(self, self.judgement, self.selection)

    @cached_property
    def verdicts(self) -> Dataset:
        """Every candidate with its verdict and tier."""
        key = {"judged": self.judged.manifest()["fingerprint"], **self.selection.key()}

        def make(directory: str, blocks: Any) -> Any:
            from negmine.pipelines.select import SelectTask, build

            task = SelectTask(self.judged, self.selection, self.collection, directory, blocks)
            return build, task

        return self.work.ensure("select", key, self.rows("queries"), make)

    @cached_property
    def sets(self) -> Dataset:
        """One row a query: counts and ECI."""
        tiers = tuple(self.config.tiers.items())
        key = {"verdicts": self.verdicts.manifest()["fingerprint"]}

        def make(directory: str, blocks: Any) -> Any:
            from negmine.pipelines.score import ScoreTask, build

            return build, ScoreTask(self.verdicts, self.collection, tiers, directory, blocks)

        return self.work.ensure("score", key, self.rows("queries"), make)

    def look_at(self, stage: str, until: str) -> None:
        """Remark on what a stage made, and try what comes next; see `jobs.mining.preflight`."""
        from negmine.jobs.mining.preflight import after

        after(self, stage, until)

    def run_until(self, stage: str) -> None:
        """Make everything up to a stage, publish excepted, and look at it on the way."""
        steps: dict[str, Callable[[], Any]] = {
            "ingest": lambda: self.ingested,
            "embed": lambda: self.collection,
            "retrieve": lambda: self.candidates,
            "judge": lambda: self.judged,
            "select": lambda: self.verdicts,
            "score": lambda: self.sets,
        }
        for name, step in steps.items():
            step()
            self.look_at(name, stage)
            if name == stage:
                return

"""A run: its stages in order, each made of what the ones before it made."""

from collections.abc import Callable
from functools import cached_property

from negmine.jobs.mining.bm25 import bm25_artifact
from negmine.jobs.mining.choosing import sets_artifact, verdicts_artifact
from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.judgement import (
    KeyedJudge,
    Retrieved,
    calibrate,
    judged_by,
    make_judge,
)
from negmine.jobs.mining.listing import lists_artifact
from negmine.jobs.mining.models import judge_student, stands_in
from negmine.jobs.mining.preflight.files import check_files
from negmine.jobs.mining.preflight.judges import (
    JudgeCheck,
    check_judges,
    judge_samples,
    measure_judge,
)
from negmine.jobs.mining.preflight.languages import check_languages
from negmine.jobs.mining.preflight.models import try_judges, try_student
from negmine.jobs.mining.preflight.pseudo import check_pseudo_pairs
from negmine.jobs.mining.preflight.scripts import check_scripts
from negmine.jobs.mining.preflight.sources import check_sources
from negmine.jobs.mining.preflight.teacher import check_teacher
from negmine.jobs.mining.preflight.tiers import check_tiers
from negmine.jobs.mining.preflight.vectors import check_zero_vectors
from negmine.jobs.mining.retrieval import random_artifact, source_artifacts
from negmine.jobs.mining.vectors.embedding import (
    AnyStudent,
    Vectors,
    choose_student,
    student_vectors,
)
from negmine.jobs.mining.vectors.given_vectors import check_vectors
from negmine.jobs.runner.engine import engine_of
from negmine.jobs.runner.progress import tell
from negmine.jobs.workdir.artifacts import Artifact
from negmine.schemas.config import Student
from negmine.schemas.judges import TokenJudge
from negmine.schemas.selection import Selection
from negmine.schemas.sources import Bm25
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.metrics.estimates.teacher import ListFacts, measure_lists
from negmine.transforms.pairs.features import Collection


class MiningRun(RunContext):
    """One run: its stages as properties, each made on first use from the ones before."""

    until: str = "score"
    """The command that is asked for; stages up to there may be made together."""

    def check(self) -> None:
        """Raise at once for an input, a model or anything else named that is not there."""
        super().check()
        check_vectors(self.config.student)
        check_files(self.config)
        for judge in self.config.judge.flat():
            if stands_in(judge, self.config.student):
                tell(
                    f"judge {judge.kind}: the student is static and has no token vectors, so "
                    f"{Student().model} judges; judge.model names another"
                )

    @cached_property
    def student(self) -> AnyStudent:
        """The student with its precision settled, or the vectors that stand in for it."""
        return choose_student(self)

    @cached_property
    def student_gives_tokens(self) -> bool:
        """Whether a judge compares the student's own token vectors."""
        settings = [
            judge_student(judge, self.config.student)
            for judge in self.config.judge.flat()
            if isinstance(judge, TokenJudge)
        ]
        return any(self.encoder(s, "judge").identity == self.student.identity for s in settings)

    @cached_property
    def vectors(self) -> Vectors:
        """The student's vectors. What else needs no more than the texts is made beside them."""
        return student_vectors(self, self.student, self.student_gives_tokens, self._beside())

    def _beside(self) -> list[Artifact]:
        # Under a limit of memory one thing at a time: what is in memory would add up.
        if self.until in {"ingest", "embed"} or self.budget.limit is not None:
            return []
        sources = self.config.sources
        language = (sources.bm25 or Bm25()).language
        found = [bm25_artifact(self, language)]
        uniform = sources.random and sources.random.weight == "uniform"
        return [*found, random_artifact(self)] if uniform else found

    @property
    def document_vectors(self) -> Dataset:
        """The student's vectors of the documents."""
        return self.vectors.documents

    @property
    def query_vectors(self) -> Dataset:
        """The student's vectors of the queries."""
        return self.vectors.queries

    @cached_property
    def collection(self) -> Collection:
        """Everything that later stages look up by position."""
        sets = self.texts
        return Collection(
            sets["documents"],
            sets["queries"],
            sets["positives"],
            self.document_vectors,
            self.query_vectors,
            sets.get("confirmed_negatives"),
            self.config.student.normalize,
            self.config.input.queries_are_documents,
            bool(self.config.sources.edited and self.config.sources.edited.judged),
            self.rows("documents"),
        )

    @cached_property
    def _found(self) -> tuple[dict[str, Dataset], list[JudgeCheck] | None]:
        """Candidates of each source that is on, and behind them the judges' checks, if wanted."""
        sources = source_artifacts(self, self.vectors)
        expected = {name: self.work.expected(source) for name, source in sources.items()}
        if self.until in {"ingest", "embed", "retrieve"} or self.budget.limit is not None:
            made = self.work.make_together(*sources.values())
            return dict(zip(sources, made, strict=True)), None
        samples = judge_samples(self, Retrieved(self.collection, self.vectors, expected))
        wanted = [*sources.values(), *(sample.scores for sample in samples)]
        made = self.work.make_together(*wanted)
        checks = map(measure_judge, samples, made[len(sources) :])
        return dict(zip(sources, made, strict=False)), [check for check in checks if check]

    @property
    def candidates(self) -> dict[str, Dataset]:
        """Candidates of each source that is on."""
        return self._found[0]

    @cached_property
    def retrieved(self) -> Retrieved:
        """What is judged."""
        return Retrieved(self.collection, self.vectors, self.candidates)

    @cached_property
    def judgement(self) -> KeyedJudge:
        """The judge, ready to score."""
        return make_judge(self, self.config.judge, self.retrieved)

    @cached_property
    def judge_checks(self) -> list[JudgeCheck]:
        """How well each judge tells known positives from random documents, measured beforehand."""
        if self._found[1] is not None:
            return self._found[1]
        samples = judge_samples(self, self.retrieved)
        scored = self.work.make_together(*(sample.scores for sample in samples))
        return [check for check in map(measure_judge, samples, scored) if check]

    @cached_property
    def calibration(self) -> Calibration:
        """The judge's scores of the known positives."""
        return calibrate(self, self.judgement, self.retrieved)

    @cached_property
    def selection(self) -> Selection:
        """What negatives are chosen by, thresholds filled in."""
        selection = Selection.of(self.config)
        if not selection.needs_calibration:
            return selection
        return selection.calibrated(self.calibration)

    @cached_property
    def judged(self) -> Dataset:
        """Every candidate and positive with its features and judge score."""
        return judged_by(self, self.judgement, self.retrieved, self.selection)

    @cached_property
    def _chosen(self) -> list[Dataset]:
        """Verdicts, and behind them, block by block, the sets, unless these are not asked for."""
        select = verdicts_artifact(self, self.judged, self.selection, self.collection)
        if self.until == "select":
            return self.work.make_together(select)
        return self.work.make_together(select, sets_artifact(self, select, self.collection))

    @property
    def verdicts(self) -> Dataset:
        """Every candidate with its verdict and tier."""
        return self._chosen[0]

    @property
    def sets(self) -> Dataset:
        """One row a query: counts and ECI."""
        return self._chosen[1]

    @cached_property
    def lists(self) -> Dataset | None:
        """Teacher lists; None where the run has none."""
        if self.config.lists is None:
            return None
        made = lists_artifact(self, self.verdicts, self.judgement, self.collection)
        return self.work.make_or_reuse(made)

    @cached_property
    def list_facts(self) -> ListFacts | None:
        """The teacher's scale, and whether it ranks better than the student; None without lists."""
        if self.lists is None:
            return None
        probabilities = self.config.judge.kind == "cross_encoder"
        return measure_lists(self.lists, self.config.seed, probabilities)

    def look_at(self, stage: str) -> None:
        """Look at what a stage made, before the next one, so that no long stage is for nothing.

        After ingest: a few texts and pairs go through the models, and the language is compared with
        the letters. After embed: zero vectors. After retrieve: sources that find nothing, and
        judges that cannot tell positives from random documents. After select: tiers of a source
        that come too late. After score: a judge whose lists
        no student can learn from. Adds remarks; raises what a model raises.
        """
        judges = self.until not in {"embed", "retrieve"}
        if stage == "ingest":
            tell(f"collection: {', '.join(self.collection_facts())}")
        if stage == "ingest" and self.until != "ingest":
            check_languages(self)
            check_scripts(self)
            check_pseudo_pairs(self)
            try_student(self, self.student, self.student_gives_tokens)
            if judges:
                try_judges(self, self.student, self.student_gives_tokens)
        elif stage == "embed":
            check_zero_vectors(self, self.collection)
        elif stage == "retrieve":
            check_sources(self, self.candidates)
            if judges:
                check_judges(self, self.judge_checks)
        elif stage == "select":
            check_tiers(self, self.verdicts)
        elif stage == "score" and self.list_facts:
            check_teacher(self, self.list_facts.check)

    def run_until(self, command: str) -> None:
        """Make everything up to a command's stages, publish excepted, and look at it on the way."""
        self.until = command
        if engine := engine_of(self.options):
            tell(str(engine))
        steps: dict[str, Callable[[], object]] = {
            "ingest": lambda: self.ingested,
            "embed": lambda: self.collection,
            "retrieve": lambda: self.candidates,
            "judge": lambda: self.judged,
            "select": lambda: self.verdicts,
            "score": lambda: (self.sets, self.lists),
        }
        for name, step in steps.items():
            step()
            self.look_at(name)
            if name == command:
                break
        reused = [name for name, entry in self.work.timings.items() if entry["reused"]]
        if reused:
            tell(f"reused from earlier runs: {', '.join(reused)}")

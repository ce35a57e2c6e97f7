"""What every stage of a run works with: config, work directory, and the ingested collection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from negmine.jobs.inspection.identifiers import refuse_identifiers
from negmine.jobs.mining.edited import edits_artifact
from negmine.jobs.mining.models import EncoderChoice, Models, check_models
from negmine.jobs.runner.budget import Budget
from negmine.jobs.runner.options import resolve
from negmine.jobs.runs.collection import collection_facts
from negmine.jobs.runs.remarks import Remarks
from negmine.jobs.workdir.artifacts import Artifact
from negmine.jobs.workdir.directory import WorkDirectory
from negmine.pipelines.graph import STAGES
from negmine.pipelines.ingest import Ingest
from negmine.schemas import JsonObject
from negmine.schemas.config import Config, Student
from negmine.schemas.errors import DataError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.ingesting.raw import RAW
from negmine.transforms.readers import check, identified
from negmine.transforms.readers.rows import Source


def ingested_counts(directory: Path) -> JsonObject:
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
class RunContext:
    """Settings of a run, what it keeps while it goes on, and the collection, made on first use."""

    config: Config
    options: Sequence[str] = ()
    work: WorkDirectory = field(init=False)
    budget: Budget = field(init=False)
    remarks: Remarks = field(init=False, default_factory=Remarks)
    models: Models = field(init=False, default_factory=Models)

    def __post_init__(self) -> None:
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
        self.work = WorkDirectory(root, block_size, self.options, self.budget.workers)

    def check(self) -> None:
        """Raise at once for an input or a model that is not there."""
        check(self.config.input)
        refuse_identifiers(self.config.input)
        check_models(self.config)

    @cached_property
    def input_fingerprint(self) -> JsonObject:
        """What identifies the collection's content; no absolute paths."""
        return dict(self._identified[0])

    @cached_property
    def _identified(self) -> tuple[dict[str, object], Sequence[Source]]:
        return identified(self.config.input, self.config.seed, self.work.sums)

    @cached_property
    def ingested(self) -> dict[str, Dataset]:
        """Documents, queries, positives and dead letters."""
        names = STAGES["ingest"].writes
        key = {"input": self.input_fingerprint}
        artifact = Artifact("ingest", key, 0, self._ingest, several=names, scratch=RAW)
        directory = self.work.make_or_reuse(artifact).directory.parent
        self._check_bad_rows(directory)
        datasets = {name: Dataset(str(directory / name)) for name in names}
        self.work.block_size = self.budget.queries_in_a_block(datasets["documents"].rows)
        return datasets

    @cached_property
    def edits(self) -> Dataset | None:
        """Texts made from positives, `tables.MADE_EDITS`; None where `sources.edited` is off."""
        config = self.config.sources.edited
        if config is None:
            return None
        made = edits_artifact(self.ingested, config, self.config.seed, self.work.attempt)
        return Dataset(str(self.work.make_or_reuse(made).directory.parent / "edits"))

    @cached_property
    def texts(self) -> dict[str, Dataset]:
        """The ingested data sets; behind the documents of the corpus stand those made by edits."""
        if self.edits is None:
            return self.ingested
        made = Dataset(str(self.edits.directory.parent / "all_documents"))
        return {**self.ingested, "documents": made}

    def text_key(self, name: str) -> str:
        """Fingerprint of a data set of `texts`."""
        return str(self.texts[name].manifest()["fingerprint"])

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

    def _ingest(self, directory: str, _: object) -> Ingest:
        return Ingest(
            self.config.input,
            self.config.seed,
            directory,
            memory=self.budget.database(),
            sources=self._identified[1],
            attempt=self.work.attempt,
        )

    def collection_facts(self) -> list[str]:
        """What was read, as short facts."""
        directory = self.ingested["documents"].directory.parent
        counts = ingested_counts(directory)
        bad = counts["dead_letters"] - counts["evaluation_queries"]
        held = {name: self.rows(name) for name in ("documents", "queries", "positives")}
        return collection_facts({**counts, **held, "dead_letters": bad})

    def rows(self, name: str) -> int:
        """Rows of an ingested data set."""
        return self.ingested[name].rows

    def key(self, *names: str) -> JsonObject:
        """Fingerprints of ingested data sets."""
        return {name: self.ingested[name].manifest()["fingerprint"] for name in names}

    def encoder(self, settings: Student, section: str) -> EncoderChoice:
        """An encoder with its precision settled, looked for once a run.

        `section` of the config names it: `student`, or `judge` for one that judges.
        """
        return self.models.encoder(settings, self.ingested["documents"], self.work.root, section)

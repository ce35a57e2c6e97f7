"""A few texts and pairs through the student and every judge, before anything long runs."""

from dataclasses import dataclass

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.agreement import find_difference
from negmine.jobs.mining.judging.judgement import cross_encoder_spec, pair_store
from negmine.jobs.mining.models import EncoderChoice, judge_students
from negmine.jobs.mining.vectors.cross_fit import CrossFitStudent
from negmine.jobs.mining.vectors.embedding import AnyStudent, is_embedded
from negmine.jobs.runner.options import runner_name
from negmine.schemas.judges import CrossEncoder, EncoderJudge, TokenJudge
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.models.judges import load_cross_encoder

ROWS = 512
"""Documents and queries whose longest and shortest texts are tried."""

ODD = (".", "नमस्ते 世界 שלום ∑")
"""Texts tried beside them: one almost empty, one of several scripts."""


@dataclass(frozen=True)
class Tried:
    """Texts to try: of documents and of queries the longest, the shortest and the odd ones."""

    documents: list[str]
    queries: list[str]

    @classmethod
    def of(cls, run: RunContext) -> "Tried":
        """From the first rows of the collection."""
        return cls(*(_texts(run.ingested[name]) for name in ("documents", "queries")))


def _texts(dataset: Dataset) -> list[str]:
    rows = min(dataset.rows, ROWS)
    own = dataset.read_rows(Block(0, rows), ["text"]).column("text").to_pylist() if rows else []
    return [max(own, key=len), min(own, key=len), *ODD] if own else list(ODD)


def _elsewhere(run: RunContext) -> bool:
    """Whether models run on other machines, which have what this one may lack."""
    return runner_name(run.options) is not None


def try_student(run: RunContext, student: AnyStudent, tokens: bool) -> None:
    """Encode a few texts, with `tokens` where asked, unless every vector is there.

    Raises ModelError where that fails.
    """
    if not _elsewhere(run):
        for encoder in _encoders(student):
            _try_encoder(run, encoder, tokens)


def _encoders(student: AnyStudent) -> tuple[EncoderChoice, ...]:
    if isinstance(student, CrossFitStudent):
        return student.folds
    return (student,) if isinstance(student, EncoderChoice) else ()


def _try_encoder(run: RunContext, encoder: EncoderChoice, tokens: bool) -> None:
    if is_embedded(run, encoder, tokens):
        return
    tried, model = Tried.of(run), encoder.load()
    model.encode(tried.documents, "document", tokens)
    model.encode(tried.queries, "query", tokens)


def try_judges(run: RunContext, student: AnyStudent, tokens: bool) -> None:
    """Score a few pairs with every model that judges, where it has still to work.

    A cross-encoder is not tried where all is embedded and scores of it are kept: an earlier run
    tried it then. Raises ModelError where a model fails.
    """
    if _elsewhere(run):
        return
    for judge in run.config.judge.flat():
        if isinstance(judge, EncoderJudge):
            for settings in judge_students(judge, run.config.student):
                encoder = run.encoder(settings, "judge")
                if all(encoder.identity != known.identity for known in _encoders(student)):
                    _try_encoder(run, encoder, isinstance(judge, TokenJudge))
        elif isinstance(judge, CrossEncoder):
            embedded = all(is_embedded(run, encoder, tokens) for encoder in _encoders(student))
            if embedded and storage.is_dir(pair_store(run, judge)):
                continue
            find_difference(run, judge)
            tried = Tried.of(run)
            pairs = list(zip(tried.queries, tried.documents, strict=False))
            load_cross_encoder(cross_encoder_spec(run, judge)).score([*pairs, (ODD[1], ODD[0])])

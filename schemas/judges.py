"""Pydantic models of the `judge` section: who says how safe a negative is, one model a kind."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from negmine.schemas.backends import Backend, Precision, check_backend
from negmine.schemas.limits import MOST_JUDGES, MOST_TOKENS, Model


class Judge(Model):
    """The teacher that says how safe a negative is."""

    kind: str = Field(description="fusion and late_interaction need no further download")

    @property
    def parts(self) -> "tuple[Judge, ...]":
        """The judges that it is made of."""
        return ()

    def flat(self) -> "list[Judge]":
        """This judge and all those it is made of."""
        return [self, *(judge for part in self.parts for judge in part.flat())]

    @model_validator(mode="after")
    def _judges_something(self) -> "Judge":
        if any(part.kind == "none" for part in self.parts):
            raise ValueError("kind none cannot be part of another judge")
        return self


class ModelJudge(Judge):
    """A judge that is one model."""

    model: str | None = Field(
        None,
        description="cross_encoder: folder or hub name (default cross-encoder/ms-marco-"
        "MiniLM-L6-v2); late_interaction and fusion: an encoder (default: the student); "
        "bi_encoder: an encoder",
    )
    max_length: int | None = Field(
        None, ge=4, le=MOST_TOKENS, description="tokens per pair; null = the model's"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    backend: Backend = Field(
        "torch", description="as of the student; not given = the student's, where that judges"
    )
    trust_remote_code: bool = Field(False, description="run code shipped with the model")
    allow_pickle: bool = Field(
        False, description="load weights in pickles (pytorch_model.bin); they can run code"
    )


class CrossEncoder(ModelJudge):
    """Reads query and document together; dear, so only the pairs that choosing depends on."""

    kind: Literal["cross_encoder"] = "cross_encoder"
    precision: Literal["fp32", "bf16", "int8"] = Field(
        "fp32", description="bf16: several times as fast on a GPU; int8: with backend openvino"
    )

    @model_validator(mode="after")
    def _backend_fits(self) -> "CrossEncoder":
        check_backend(self.backend, self.precision, self.device)
        return self


class EncoderJudge(ModelJudge):
    """Compares vectors of an encoder."""

    query_prompt: str | None = Field(
        None, description='text put before every query; null = as the student, "" = none'
    )
    document_prompt: str | None = Field(
        None, description='text put before every document; null = as the student, "" = none'
    )
    precision: Precision = Field(
        "auto", description="as of the student; not given = the student's, where that judges"
    )


class TokenJudge(EncoderJudge):
    """Compares the token vectors of an encoder."""


class LateInteraction(TokenJudge):
    """The best match of each query token, summed."""

    kind: Literal["late_interaction"] = "late_interaction"


class Fusion(TokenJudge):
    """Late interaction and BM25, standardised over a query's candidates and added."""

    kind: Literal["fusion"] = "fusion"


class BiEncoder(EncoderJudge):
    """Cosine of query and document under an encoder other than the student.

    Of several models, which were trained without one fold of the queries each, every query has the
    one that did not see it: model i judges fold i, see `transforms.kernels.folds`.
    """

    kind: Literal["bi_encoder"] = "bi_encoder"
    models: tuple[str, ...] = Field(
        (),
        max_length=MOST_JUDGES,
        description="in place of model: one a fold, the first trained without fold 1, ...",
    )

    @model_validator(mode="after")
    def _names_models(self) -> "BiEncoder":
        if self.model is not None and self.models:
            raise ValueError("kind bi_encoder takes model or models, not both")
        if self.model is None and len(self.models) < 2:
            raise ValueError("kind bi_encoder needs model, or two or more models, one a fold")
        return self

    @property
    def all_models(self) -> tuple[str, ...]:
        """The model of each fold; one where there are no folds."""
        return self.models or ((self.model,) if self.model else ())


class Precomputed(Judge):
    """Scores that somebody else computed."""

    kind: Literal["precomputed"] = "precomputed"
    path: str = Field(description="Parquet or JSONL of scores; file, folder or glob")
    query_column: str = Field("query_id", description="the query's identifier")
    document_column: str = Field("doc_id", description="the document's identifier")
    score_column: str = Field("score", description="higher is more relevant")
    beside: dict[str, str] = Field(
        {},
        max_length=MOST_JUDGES,
        description="further scores that the ledger keeps in judge_parts: name, column",
    )
    fallback: "AnyJudge | None" = Field(
        None,
        description="judge of pairs without a score, on the same scale; null = they are an error",
    )

    @property
    def parts(self) -> tuple[Judge, ...]:
        return (self.fallback,) if self.fallback else ()


class Cascade(Judge):
    """A cheap judge, and a dear one for what the cheap one is uncertain of."""

    kind: Literal["cascade"] = "cascade"
    judges: "tuple[AnyJudge, ...]" = Field((), description="two: cheap, dear")
    uncertain: tuple[float, float] = Field(
        (0.05, 0.95),
        description="the dear judge reads what the cheap one puts above this share of the known "
        "positives and not above that",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Cascade":
        if len(self.judges) != 2:
            raise ValueError(
                f"kind cascade needs two judges, cheap and dear, not {len(self.judges)}"
            )
        low, high = self.uncertain
        if not 0 <= low <= high <= 1:
            raise ValueError(f"uncertain [{low}, {high}] is not a band within [0, 1]")
        return self

    @property
    def parts(self) -> tuple[Judge, ...]:
        return self.judges


class Vote(Judge):
    """Several judges, of which some must find a candidate relevant."""

    kind: Literal["vote"] = "vote"
    judges: "tuple[AnyJudge, ...]" = Field((), description="two or more")
    agree: int = Field(
        2, ge=1, le=MOST_JUDGES, description="judges that must find a candidate relevant"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Vote":
        if not self.agree <= len(self.judges) >= 2:
            raise ValueError(
                "kind vote needs two or more judges and agree no greater than their number; it "
                f"has {len(self.judges)} and agree {self.agree}"
            )
        return self

    @property
    def parts(self) -> tuple[Judge, ...]:
        return self.judges


class NoJudge(Judge):
    """Nobody judges: any candidate may be a negative."""

    kind: Literal["none"] = "none"


KINDS: dict[str, type[Judge]] = {
    str(kind.model_fields["kind"].default): kind
    for kind in (
        CrossEncoder,
        LateInteraction,
        Fusion,
        BiEncoder,
        Precomputed,
        Cascade,
        Vote,
        NoJudge,
    )
}


def of_its_kind(value: object) -> object:
    """A section with its kind named, without what older versions wrote for other kinds.

    Raises ValueError for a key of another kind that is not at its default there.
    """
    if not isinstance(value, dict):
        return value
    name = value.get("kind", "cross_encoder")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return {**value, "kind": name}
    kept = {"kind": name}
    for key, entry in value.items():
        if key in kind.model_fields or not (defaults := _defaults(key)):
            kept[key] = entry
        elif _plain(entry) not in defaults:
            names = ", ".join(n for n in kind.model_fields if n != "kind") or "no further keys"
            raise ValueError(f"kind {name} has no key {key}; it takes {names}")
    return kept


def _defaults(key: str) -> list[object]:
    """The defaults of a key in the kinds that have it; of one that must be given, null."""
    fields = (k.model_fields[key] for k in KINDS.values() if key in k.model_fields)
    return [None if f.is_required() else _plain(f.default) for f in fields]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


AnyJudge = Annotated[
    CrossEncoder | LateInteraction | Fusion | BiEncoder | Precomputed | Cascade | Vote | NoJudge,
    Field(discriminator="kind"),
    BeforeValidator(of_its_kind),
]
"""A judge of any kind; a section without one is a cross_encoder."""

for _model in (Precomputed, Cascade, Vote):
    _model.model_rebuild()

_ANY: TypeAdapter[Judge] = TypeAdapter(AnyJudge)


def judge_of(**settings: object) -> Judge:
    """The judge of a section of a config. Raises ValidationError."""
    return _ANY.validate_python(settings)

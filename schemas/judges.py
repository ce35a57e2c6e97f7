"""Pydantic model of the `judge` section: who says how safe a negative is."""

from typing import Literal

from pydantic import Field, model_validator

from negmine.schemas.limits import MOST_JUDGES, MOST_TOKENS, Model

_MODELS = ("model", "max_length", "device", "trust_remote_code", "allow_pickle")
_KEYS = {
    "cross_encoder": _MODELS,
    "late_interaction": _MODELS,
    "fusion": _MODELS,
    "precomputed": ("path", "query_column", "document_column", "score_column", "fallback"),
    "cascade": ("judges", "uncertain"),
    "vote": ("judges", "agree"),
    "none": (),
}


class Judge(Model):
    """The teacher that says how safe a negative is."""

    kind: Literal[
        "cross_encoder",
        "late_interaction",
        "fusion",
        "precomputed",
        "cascade",
        "vote",
        "none",
    ] = Field("cross_encoder", description="fusion and late_interaction need no further download")
    model: str | None = Field(
        None,
        description="cross_encoder: folder or hub name (default cross-encoder/ms-marco-"
        "MiniLM-L6-v2); late_interaction and fusion: an encoder (default: the student)",
    )
    max_length: int | None = Field(
        None, ge=4, le=MOST_TOKENS, description="tokens per pair; null = the model's"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    trust_remote_code: bool = Field(False, description="run code shipped with the model")
    allow_pickle: bool = Field(
        False, description="load weights in pickles (pytorch_model.bin); they can run code"
    )
    path: str | None = Field(
        None, description="precomputed: Parquet or JSONL of scores; file, folder or glob"
    )
    query_column: str = Field("query_id", description="precomputed: the query's identifier")
    document_column: str = Field("doc_id", description="precomputed: the document's identifier")
    score_column: str = Field("score", description="precomputed: higher is more relevant")
    fallback: "Judge | None" = Field(
        None,
        description="precomputed: judge of pairs without a score, on the same scale; "
        "null = they are an error",
    )
    judges: "tuple[Judge, ...]" = Field((), description="cascade: cheap, dear; vote: two or more")
    uncertain: tuple[float, float] = Field(
        (0.05, 0.95),
        description="cascade: the dear judge reads what the cheap one puts above this share of the "
        "known positives and not above that",
    )
    agree: int = Field(
        2, ge=1, le=MOST_JUDGES, description="vote: judges that must find a candidate relevant"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Judge":
        known = _KEYS[self.kind]
        for key in sorted(self.model_fields_set - {"kind"}):
            default = type(self).model_fields[key].default
            if key not in known and getattr(self, key) != default:
                names = ", ".join(known) or "no further keys"
                raise ValueError(f"kind {self.kind} has no key {key}; it takes {names}")
        if self.kind == "precomputed" and self.path is None:
            raise ValueError("kind precomputed needs a path, the file of scores")
        if self.kind == "cascade" and len(self.judges) != 2:
            raise ValueError(
                f"kind cascade needs two judges, cheap and dear, not {len(self.judges)}"
            )
        if self.kind == "vote" and not self.agree <= len(self.judges) >= 2:
            raise ValueError(
                "kind vote needs two or more judges and agree no greater than their number; it "
                f"has {len(self.judges)} and agree {self.agree}"
            )
        if any(judge.kind == "none" for judge in (*self.judges, *filter(None, [self.fallback]))):
            raise ValueError("kind none cannot be part of another judge")
        low, high = self.uncertain
        if not 0 <= low <= high <= 1:
            raise ValueError(f"uncertain [{low}, {high}] is not a band within [0, 1]")
        return self

    def flat(self) -> "list[Judge]":
        """This judge and all those it is made of."""
        parts = [*self.judges, *([self.fallback] if self.fallback else [])]
        return [self, *(judge for part in parts for judge in part.flat())]

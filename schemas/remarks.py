"""Remarks: what a run found about its input, models or sources that its user should know."""

from dataclasses import asdict, dataclass, field

from negmine.schemas import JsonObject


@dataclass(frozen=True)
class Remark:
    """One thing to know: what, the numbers behind it, and what to do; the run goes on.

    Attributes:
        code: its kind, a name such as `source_finds_nothing`.
        serious: whether the negatives may be useless for it.
        title: what is the matter, a sentence without full stop.
        fact: what it means, in sentences.
        advice: what to do, in sentences.
        numbers: the values behind it, JSON values.
    """

    code: str
    serious: bool
    title: str
    fact: str
    advice: str
    numbers: JsonObject = field(default_factory=dict)

    def as_json(self) -> JsonObject:
        """The remark as it stands in a manifest."""
        return asdict(self)

    @classmethod
    def of(cls, value: JsonObject) -> "Remark":
        """The remark of a manifest's entry; what is missing there is empty."""
        words = {key: str(value.get(key, "")) for key in ("code", "title", "fact", "advice")}
        return cls(
            serious=bool(value.get("serious")), numbers=dict(value.get("numbers") or {}), **words
        )

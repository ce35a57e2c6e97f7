"""What somebody's data was taken for, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from negmine.jobs.inspection.samples import Sample
from negmine.schemas import JsonObject


@dataclass(frozen=True)
class Told:
    """A column in front of people: its name, what it holds, and its role, "" for none."""

    name: str
    holds: str
    role: str


@dataclass(frozen=True)
class Findings:
    """What somebody's data was taken for.

    Attributes:
        place: the file, folder or data set, as it was named.
        values: the raw mapping of a config, `input` and `judge`, without what is a default.
        shape: what it is, in a few words.
        columns: those of the file that was looked at; empty for a collection of several files.
        counts: rows by what they are; a text where they were estimated.
        rows: the first of them, as they are read.
        notes: sentences about what is left out, or was decided and may be decided otherwise.
    """

    place: str
    values: JsonObject
    shape: str
    columns: Sequence[Told] = ()
    counts: Mapping[str, int | str] = field(default_factory=dict)
    rows: Sequence[Sample] = ()
    notes: Sequence[str] = ()

    @property
    def input(self) -> JsonObject:
        """The `input` section."""
        return dict(self.values["input"])

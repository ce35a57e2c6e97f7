"""What a file of rows was taken for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from negmine.schemas import JsonObject

Settings = Mapping[str, object]


@dataclass
class Understood:
    """What a file of rows was taken for.

    Attributes:
        format: pairs or documents.
        values: of the `input` section, without format and path.
        roles: of each column that has one.
        languages: what columns of languages, which a row may lack, say: of which texts.
        notes: sentences about what is left out, or was decided and may be decided otherwise.
    """

    format: str
    values: JsonObject = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


HINTS = ("split",)
"""Settings that tell the inspection something and are no keys of `input` for every format."""

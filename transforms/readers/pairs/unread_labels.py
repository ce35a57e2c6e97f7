"""Stops where a label stands beside a pair's texts and the config does not say what it means."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, HfPairsInput, PairsInput
from negmine.transforms.readers.tables.names import names_a_label
from negmine.transforms.readers.tables.nested import TEXTS, Path, Step


class UnreadLabels:
    """Looks for labels that are not read in the columns, rows and objects of one file.

    A pair that its label calls no positive would be exported as one. All methods raise DataError.
    """

    def __init__(self, where: str, config: PairsInput | HfPairsInput, read: Sequence[Path]) -> None:
        """`read`: paths of query and positives, in the order of a row's values."""
        self.where = where
        self.auto = config.label == AUTO
        self.read = frozenset(path.column for path in read)
        self.known = set(self.read)
        self.paths = list(enumerate(read)) if self.auto else []

    def columns(self, names: Iterable[str], line: int | None = None) -> None:
        """Look at the names of a file, or at the object of one line and those in it."""
        if not self.auto:
            return
        if isinstance(names, Mapping):
            for name, value in names.items():
                if isinstance(value, dict) and name not in self.read:
                    self._inside(name, value, line)
        if self.known.issuperset(names):
            return
        for name in names:
            if name not in self.known and names_a_label(name):
                self._refuse(name, line)
        self.known.update(names)

    def values(self, line: int, values: Sequence[object]) -> None:
        """Look into the objects that hold a row's texts, and those that hold these."""
        for at, path in self.paths:
            if isinstance(values[at], dict | list):
                for way, name in _names(values[at], path.steps, path.column):
                    if names_a_label(name):
                        self._refuse(f"{way}.{name}", line)

    def schema(self, schema: pa.Schema) -> None:
        """Look at the columns of a file, and into the objects of those that are not read."""
        self.columns(_keys_of(schema))

    def _inside(self, way: str, value: Mapping[str, object], line: int | None) -> None:
        """Look into an object beside the texts; in one that holds a text it is that text's."""
        if any(name in value for name in TEXTS):
            return
        for name, inner in value.items():
            if names_a_label(name):
                self._refuse(f"{way}.{name}", line)
            if isinstance(inner, dict):
                self._inside(f"{way}.{name}", inner, line)

    def _refuse(self, name: str, line: int | None) -> None:
        at = "" if line is None else f", line {line}"
        raise DataError(
            f"{self.where}{at} has {name!r}, which may say which pairs are positives, and input."
            f"label does not say so; set input.label={name} where it does (those above input."
            "label_above are positives), input.label=null where every pair is one"
        )


def _keys_of(fields: Iterable[pa.Field]) -> dict[str, object]:
    """Names of fields, with those of their objects."""
    return {
        field.name: _keys_of(field.type) if pa.types.is_struct(field.type) else None
        for field in fields
    }


def _names(value: object, steps: Sequence[Step], way: str) -> Iterator[tuple[str, str]]:
    """Every key beside a way through objects and lists, and where it stands."""
    if isinstance(value, list):
        inner = steps[1:] if steps and not isinstance(steps[0], str) else steps
        for element in value:
            yield from _names(element, inner, way)
    elif isinstance(value, dict):
        step = steps[0] if steps else None
        yield from ((way, name) for name in value if name != step)
        if isinstance(step, str):
            yield from _names(value.get(step), steps[1:], f"{way}.{step}")

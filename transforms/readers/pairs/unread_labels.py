"""Stops where a label stands beside a pair's texts and the config does not say what it means."""

from collections.abc import Iterable, Sequence

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, HfPairsInput, PairsInput
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.names import names_a_label
from negmine.transforms.readers.tables.nested import Path


class UnreadLabels:
    """Looks for labels that are not read in the columns, rows and objects of one file.

    A pair that its label calls no positive would be exported as one. All methods raise DataError.
    """

    def __init__(
        self, where: str, config: PairsInput | HfPairsInput, read: Sequence[Path], first: int
    ) -> None:
        """`read`: paths in the order of a row's values, the positives' at `first` and after."""
        self.where = where
        self.auto = config.label == AUTO
        self.known = {path.column for path in read}
        self.paths = list(enumerate(read))[first:] if self.auto else []

    def columns(self, names: Iterable[str], line: int | None = None) -> None:
        """Look at the names of a file, or of the object of one line."""
        if not self.auto or self.known.issuperset(names):
            return
        for name in names:
            if name not in self.known and names_a_label(name):
                self._refuse(name, line)
        self.known.update(names)

    def values(self, line: int, values: Sequence[object]) -> None:
        """Look into the objects that hold a row's texts."""
        for at, path in self.paths:
            value = values[at]
            if not isinstance(value, dict | list):
                continue
            try:
                holders = Path(path.column, path.steps[:-1]).of(value) if path.steps else value
            except Rejected:
                continue
            for holder in holders if isinstance(holders, list) else [holders]:
                for name in holder if isinstance(holder, dict) else ():
                    if names_a_label(name) and name not in path.steps[-1:]:
                        self._refuse(f"{path.column}.{name}", line)

    def _refuse(self, name: str, line: int | None) -> None:
        at = "" if line is None else f", line {line}"
        raise DataError(
            f"{self.where}{at} has {name!r}, which may say which pairs are positives, and input."
            f"label does not say so; set input.label={name} where it does (those above input."
            "label_above are positives), input.label=null where every pair is one"
        )

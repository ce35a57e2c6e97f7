"""The remarks of a run: told when they are found, and kept for its summary, report and manifest.

A stage that is reused must add its remarks again: read them off its artifact.
"""

import sys

from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject
from negmine.schemas.remarks import Remark


class Remarks:
    """What a run remarked so far."""

    def __init__(self) -> None:
        self._found: list[Remark] = []

    def add(self, remark: Remark) -> None:
        """Keep a remark and print it on standard error; the same one again changes nothing."""
        if remark not in self._found:
            self._found.append(remark)
            print(sentence(remark), file=sys.stderr)

    def all(self) -> list[Remark]:
        """All remarks, serious ones first, else as they were found."""
        return sorted(self._found, key=lambda remark: not remark.serious)


def listed(manifest: JsonObject) -> list[Remark]:
    """Remarks of a published run; none where its manifest has none."""
    return [Remark.of(entry) for entry in manifest.get("remarks") or []]


def sentence(remark: Remark) -> str:
    """A remark in one line of text for a terminal."""
    kind = "warning" if remark.serious else "remark"
    parts = (f"{remark.title}.", remark.fact, remark.advice)
    return f"{kind}: {printable(' '.join(filter(None, parts)))}"

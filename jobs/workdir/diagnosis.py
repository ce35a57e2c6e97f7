"""What `negmine doctor` looked at, what it found, and what to do about it."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from negmine.jobs.workdir.check_parts import Counted
from negmine.schemas import JsonObject
from negmine.schemas.locations import shown


class Kind(StrEnum):
    """What a finding is; only damage makes a directory unsound."""

    DAMAGE = "damage"
    UNFINISHED = "unfinished"
    LEFTOVER = "leftover"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing found, what it is, and what to delete or run about it."""

    kind: Kind
    path: Path
    what: str
    remove: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()


@dataclass
class Diagnosis:
    """What was looked at and what was found."""

    path: Path
    deep: bool
    artifacts: int = 0
    runs: int = 0
    counted: Counted = field(default_factory=Counted)
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return not any(finding.kind is Kind.DAMAGE for finding in self.findings)

    @property
    def remove(self) -> list[Path]:
        """What to delete: of everything damaged, and of what killed processes left."""
        listed = list(dict.fromkeys(path for found in self.findings for path in found.remove))
        return [path for path in listed if not any(p in listed for p in path.parents)]

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Commands to run, after the deletions."""
        return list(dict.fromkeys(found.command for found in self.findings if found.command))

    def as_json(self) -> JsonObject:
        """The diagnosis as JSON values."""
        return {
            "path": shown(str(self.path)),
            "sound": self.sound,
            "deep": self.deep,
            "artifacts": self.artifacts,
            "runs": self.runs,
            "parts": self.counted.parts,
            "bytes": self.counted.bytes,
            "findings": [
                {
                    "kind": str(found.kind),
                    "path": shown(str(found.path)),
                    "what": shown(found.what),
                    "remove": [shown(str(path)) for path in found.remove],
                    "command": list(map(shown, found.command)),
                }
                for found in self.findings
            ],
        }

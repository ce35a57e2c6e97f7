"""One thing that was looked at, how it stands, and what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from negmine.schemas import JsonObject
from negmine.schemas.locations import shown


class State(StrEnum):
    """How a check ended; only what is wrong keeps a run from being submitted."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Check:
    """A line of `negmine doctor --runner`: `what` was found, and what to `do` where it matters."""

    name: str
    state: State
    what: str
    do: str = ""


def ok(name: str, what: object) -> Check:
    """Nothing to do."""
    return Check(name, State.OK, str(what))


def wrong(name: str, what: object, do: str) -> Check:
    """The run would fail, or would not do what was asked."""
    return Check(name, State.WRONG, str(what), do)


def unknown(name: str, what: object, do: str) -> Check:
    """It cannot be known here; `do` says how to be sure."""
    return Check(name, State.UNKNOWN, str(what), do)


@dataclass(frozen=True)
class Checkup:
    """All checks of a run on an engine."""

    runner: str
    checks: Sequence[Check]

    def count(self, state: State) -> int:
        """How many checks ended so."""
        return sum(check.state is state for check in self.checks)

    @property
    def ready(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.count(State.WRONG)

    @property
    def unanswered(self) -> bool:
        """Whether the store of the run could not be asked."""
        return any(c.name == "bucket" and c.state is not State.OK for c in self.checks)

    def and_(self, more: Iterable[Check]) -> "Checkup":
        """These checks and others behind them."""
        return replace(self, checks=(*self.checks, *more))

    def as_json(self) -> JsonObject:
        """The checks as JSON values."""
        return {
            "runner": self.runner,
            "ready": self.ready,
            "checks": [
                {"name": c.name, "state": str(c.state), "what": shown(c.what), "do": shown(c.do)}
                for c in self.checks
            ],
        }

    def lines(self) -> list[str]:
        """A line a check, and one that sums them up."""
        width = max((len(check.name) for check in self.checks), default=0)
        found = []
        for check in self.checks:
            do = f" -> {check.do}" if check.do else ""
            found.append(shown(f"{check.state:<11}  {check.name:<{width}}  {check.what}{do}"))
        counts = {state: self.count(state) for state in (State.WRONG, State.UNKNOWN)}
        told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        end = "ready" if self.ready else "not ready"
        return [*found, "", f"{end} for {self.runner}{': ' + told if told else ''}"]

"""What holds for the numbers of every setting: they are finite, and sizes have a limit."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails

MOST_ROWS = 2**32 - 2
"""Queries or documents: sorting packs a position into 32 bits."""

MOST_RANK = 2**31 - 1
"""Ranks and places are 32-bit."""

MOST_CANDIDATES = 1_000_000
"""Candidates of a query: ten thousand times the default. Memory follows the corpus where it is
smaller, and `block_size` times this where it is not."""

MOST_NEGATIVES = 100_000
"""Negatives of a query in a tier; no trainer takes more in one row."""

LEAST_LIST, MOST_LIST = 8, 64
"""Documents of a teacher list: below there is no range to speak of, above trainers run short of
memory, and a judge that reads pairs one by one of time."""

MOST_SHARDS = 10_000
"""Each is a file and a task; so many of 262,144 documents are 2.6 billion."""

MOST_WORKERS = 1024
"""Processes of a local run; machines with more cores are for an engine."""

MOST_BLOCK = 1_000_000
"""Queries in a block, which is one piece of work and wholly in memory."""

MOST_TEXT = 2**31 - 1
"""Bytes of a text: Arrow's strings have 32-bit offsets."""

MOST_BYTES = 2**60
"""Bytes of a file or of memory: an exbibyte."""

MOST_TOKENS = 2**24
"""Tokens of a text; no model has so many positions."""

MOST_DIMENSIONS = 65_536
"""Numbers of a vector."""

MOST_LISTS = 2**20
"""Of an index: lists, links, codes, width of a beam; FAISS's guidelines end there."""

MOST_JUDGES = 100
"""Judges that vote."""

MOST_SCORE = 1e30
"""A score, limit or margin on any scale: float32 ends at 3.4e38, and sums need room."""

MOST_WEIGHT = 1e6
"""A weight, factor or temperature, and the inverse of the smallest temperature."""


Candidates = Annotated[int, Field(ge=1, le=MOST_CANDIDATES)]
Lists = Annotated[int, Field(ge=1, le=MOST_LISTS)]
Rank = Annotated[int, Field(ge=1, le=MOST_RANK)]
Score = Annotated[float, Field(ge=-MOST_SCORE, le=MOST_SCORE)]
Weight = Annotated[float, Field(ge=-MOST_WEIGHT, le=MOST_WEIGHT)]


class Model(BaseModel):
    """What every section of a config is: no unknown key, no change later, no NaN, no infinity.

    Sizes name their limit by `le`; tests/schemas/test_limits.py holds every field to that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def reason(problem: ErrorDetails) -> str:
    """What is wrong with a value, from an entry of `pydantic.ValidationError.errors()`."""
    value = problem["input"]
    if problem["type"] == "finite_number":
        return f"{value} is not a finite number"
    shown = "" if isinstance(value, dict) else f" (got {value!r:.80})"
    return str(problem["msg"]).removeprefix("Value error, ") + shown

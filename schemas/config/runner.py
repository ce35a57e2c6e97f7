"""The sections of how and where: the Beam runner and its limits, and the run's folder."""

import re
from math import isfinite
from typing import Annotated, Literal

from pydantic import Field, field_validator

from negmine.schemas.limits import MOST_BLOCK, MOST_BYTES, MOST_WORKERS, Model

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})")


class Runner(Model):
    """Which Beam runner, and how the work is cut."""

    name: Literal["local", "portable", "flink", "spark", "dataflow"] = Field(
        "local", description="local = FnApiRunner in this process; never guessed"
    )
    options: dict[str, bool | int | float | str | list[str]] = Field(
        {}, description="Beam's options by name, without dashes; those after -- win"
    )
    min_ram: str | None = Field(None, description="memory of embed and judge workers, as 16GB")
    accelerator: str | None = Field(None, description="for them, as type:nvidia-l4;count:1")
    block_size: int = Field(
        512, ge=1, le=MOST_BLOCK, description="most queries per block; never changes the result"
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=MOST_WORKERS)] = Field(
        "auto",
        description="most processes of a local run; auto = one a core, as far as memory goes",
    )
    memory: str | None = Field(
        None, description="most memory of a local run, as 4GiB or 4GB; null = no limit is set"
    )

    @field_validator("memory")
    @classmethod
    def _is_a_size(cls, memory: str | None) -> str | None:
        if memory is not None and not _SIZE.fullmatch(memory):
            raise ValueError("write a number and a unit: 4GiB, 4GB, 512MiB, 512MB")
        if memory is not None and _bytes(memory) > MOST_BYTES:
            raise ValueError(f"over the limit of {MOST_BYTES >> 40:,}TiB")
        return memory

    @field_validator("options", mode="before")
    @classmethod
    def _are_finite(cls, options: object) -> object:
        for name, value in options.items() if isinstance(options, dict) else ():
            if isinstance(value, float) and not isfinite(value):
                raise ValueError(f"{name}: {value} is not a finite number")
        return options

    @property
    def memory_bytes(self) -> int | None:
        """The limit in bytes, None for none."""
        return round(_bytes(self.memory)) if self.memory else None


def _bytes(size: str) -> float:
    found = _SIZE.fullmatch(size)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


class Output(Model):
    """Where the run goes."""

    path: str = Field("out", description="folder that holds runs/, current and the work directory")
    run_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="folder under runs/; null = UTC date and time",
    )
    texts: Literal["inline", "ids_only"] = Field("inline", description="texts in the negatives")
    workdir: str | None = Field(None, description="stage outputs; null = <path>/work")

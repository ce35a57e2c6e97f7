"""Pydantic model of the `runner` section: where a run's work is done, and how it is cut."""

import re
from math import isfinite
from typing import Any, Literal

from pydantic import Field, field_validator

from negmine.schemas.limits import MOST_BLOCK, MOST_BYTES, Model

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
        512, ge=1, le=MOST_BLOCK, description="queries per block; never changes the result"
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
    def _are_finite(cls, options: Any) -> Any:
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

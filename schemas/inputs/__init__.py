"""Pydantic models of the `input` section, one for each format."""

from typing import Annotated

from pydantic import Field

from negmine.schemas.inputs.base import AUTO
from negmine.schemas.inputs.collections import (
    BeirInput,
    HfInput,
    IrDatasetsInput,
    JsonlInput,
    ParquetInput,
    StdlibInput,
    TsvInput,
)
from negmine.schemas.inputs.pairs import DocumentsInput, HfPairsInput, PairsInput

__all__ = [
    "AUTO",
    "BeirInput",
    "DocumentsInput",
    "HfInput",
    "HfPairsInput",
    "Input",
    "IrDatasetsInput",
    "JsonlInput",
    "PairsInput",
    "ParquetInput",
    "StdlibInput",
    "TsvInput",
]

Input = Annotated[
    BeirInput
    | ParquetInput
    | JsonlInput
    | TsvInput
    | PairsInput
    | HfPairsInput
    | DocumentsInput
    | HfInput
    | IrDatasetsInput
    | StdlibInput,
    Field(discriminator="format"),
]

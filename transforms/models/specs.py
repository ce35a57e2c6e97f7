"""What decides a model's output, apart from torch: a worker reads it before it loads a model."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["query", "document"]


@dataclass(frozen=True)
class EncoderSpec:
    """Everything that decides an encoder's output; hashable, so that a worker loads it once.

    `digest` is that of the weights, so that files that changed are loaded anew; `section` of the
    config names the model in errors.
    """

    folder: str
    query_prompt: str | None = None
    document_prompt: str | None = None
    max_length: int | None = None
    normalize: bool = True
    precision: str = "fp32"
    backend: str = "torch"
    device: str = "auto"
    trust_remote_code: bool = False
    digest: str = ""
    section: str = field(default="student", compare=False)


@dataclass(frozen=True)
class CrossEncoderSpec:
    """Everything that decides a cross-encoder's scores; hashable, so it is loaded once.

    `digest` is that of the weights, so that files that changed are loaded anew; `section` of the
    config names the model in errors.
    """

    folder: str
    max_length: int | None = None
    device: str = "auto"
    trust_remote_code: bool = False
    digest: str = ""
    precision: str = "fp32"
    backend: str = "torch"
    section: str = field(default="judge", compare=False)

"""Whatever fails inside a model, as one sentence: which model, which setting, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from negmine.schemas.errors import ModelError, NegmineError
from negmine.transforms.models.weights import first_line

_MOST_TOLD = 300


class Named(Protocol):
    """What an error says of a model: its folder, and the section of the config that names it."""

    @property
    def folder(self) -> str: ...

    @property
    def section(self) -> str: ...


@contextmanager
def inside_model(model: Named, what: str, doing: str) -> Iterator[None]:
    """Raise ModelError for any exception of the body that is not an error for people already.

    Args:
        model: where it is, and the section (student or judge) that names it.
        what: encoder or cross-encoder.
        doing: what it cannot do, such as "cannot be loaded".
    """
    try:
        yield
    except NegmineError:
        raise
    except Exception as error:
        line = first_line(error)[:_MOST_TOLD]
        kind = type(error).__name__
        told = line if line.startswith(kind) else f"{kind}: {line}"
        raise ModelError(
            f"{model.section}.model: the {what} in {model.folder} {doing} ({told}); "
            f"{_advice(error, model, what)}"
        ) from error


def no_padding(model: Named, what: str, file: str, key: str, value: str) -> ModelError:
    """The error for a model without padding token; `key: value` is what to add to `file`."""
    return ModelError(
        f"{model.section}.model: the {what} in {model.folder} names no padding token, so texts of "
        f"different lengths cannot go through it together; add {key}: {value} to its {file} (the "
        f"token that it was trained with), or name another as {model.section}.model"
    )


def _advice(error: Exception, model: Named, what: str) -> str:
    section, said = model.section, str(error).lower()
    if isinstance(error, ImportError):
        return f"install what it asks for, or name another as {section}.model"
    if isinstance(error, MemoryError) or "out of memory" in said or "can't allocate" in said:
        return (
            f"lower {section}.max_length, set another {section}.device, or free memory there; "
            "finished parts are kept"
        )
    if "trust_remote_code" in said:
        return f"read the code that comes with it, then set {section}.trust_remote_code: true"
    if any(word in said for word in ("device", "cuda", "nvidia")):
        return f"set {section}.device to one that is here, such as cpu"
    if isinstance(error, NotImplementedError) or "not implemented for" in said:
        precision = " and student.precision to fp32" if section == "student" else ""
        return f"set {section}.device to cpu{precision}, or name another as {section}.model"
    rest = ", or set judge.kind: fusion, which needs no download" if what != "encoder" else ""
    if isinstance(error, IndexError) or "expanded size" in said or "size of tensor" in said:
        return (
            f"set {section}.max_length to what the model has positions for, see that its tokenizer "
            f"and weights belong together, or name another as {section}.model{rest}"
        )
    return (
        f"fetch it again, see whether sentence-transformers runs it by itself, or name another as "
        f"{section}.model{rest}"
    )


def refuse_nan(scores: np.ndarray, who: str) -> None:
    """Raise ModelError where a score is not a finite number."""
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        raise ModelError(
            f"{who} gave {bad} of {len(scores)} scores that are not numbers; its weights are "
            "damaged or it is not a reranker"
        )

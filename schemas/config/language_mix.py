"""The setting that says which languages a query's negatives have."""

from contextlib import suppress
from typing import Annotated, Literal, SupportsFloat

from pydantic import BeforeValidator, Field

from negmine.schemas.languages import language_code


def _is_a_mix(mix: object) -> object:
    if mix in ("corpus", "positives"):
        return mix
    if not isinstance(mix, dict):
        raise ValueError(
            f"{mix!r:.40} is neither corpus, positives nor shares such as {{same: 0.5, other: 0.5}}"
        )
    shares: dict[str, float] = {}
    for name, share in mix.items():
        if name is False:
            raise ValueError("YAML reads no as false; quote the code of Norwegian: 'no'")
        code = name if name in ("same", "other") else language_code(str(name))
        if code is None:
            raise ValueError(f"{name!r:.40} is neither same, other nor a language code such as de")
        shares[code] = shares.get(code, 0.0) + _share(name, share)
    relative = {"same", "other"} & shares.keys()
    if relative and len(relative) < len(shares):
        raise ValueError("give shares of same and other, or shares of languages, not of both")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"the shares add up to {sum(shares.values()):g} and not to 1")
    return shares


def _share(name: str, share: object) -> float:
    value = float("nan")
    if isinstance(share, str | bytes | SupportsFloat) and not isinstance(share, bool):
        with suppress(TypeError, ValueError):
            value = float(share)
    if not 0 <= value <= 1:
        raise ValueError(f"the share of {name} is {share!r:.40}; give a number from 0 to 1")
    return value


LanguageMix = Annotated[
    Literal["corpus", "positives"] | dict[str, Annotated[float, Field(ge=0, le=1)]],
    BeforeValidator(_is_a_mix),
]
"""Which languages a query's negatives have, by share."""

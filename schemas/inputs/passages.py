"""How long documents are cut into passages on their way in."""

from typing import Literal

from pydantic import Field, model_validator

from negmine.schemas.limits import MOST_TOKENS, Model


class Passages(Model):
    """Documents are cut into passages `<document>#<n>`, n from 1, which are the corpus then."""

    words: int = Field(200, ge=10, le=MOST_TOKENS, description="words of a passage")
    overlap: int = Field(
        0, ge=0, le=MOST_TOKENS, description="words that a passage shares with the one before"
    )
    labels: Literal["certain", "all"] = Field(
        "certain",
        description="a judgement that names a document of several passages: certain = a bad row, "
        "since it does not say which one answers, and none of them becomes a negative; all = each "
        "of them is a positive",
    )

    @model_validator(mode="after")
    def _goes_on(self) -> "Passages":
        if 2 * self.overlap > self.words:
            raise ValueError(f"overlap {self.overlap} is over half of words {self.words}")
        return self

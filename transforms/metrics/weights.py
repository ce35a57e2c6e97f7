"""Weights of the negatives, and the cells of inverse propensity before and after weighting."""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from negmine.transforms.choosing.weigh import Weighed, Weigher
from negmine.transforms.kernels.choosing.weighting import BINS
from negmine.transforms.kernels.measures.descriptive import describe
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row


def weight_rows(negatives: Negatives, weigher: Weigher) -> Iterator[Row]:
    """weight and weight_effective by tier; weight_cell and weight_cell_after."""
    names = [field.name for field in fields(Weighed)]
    weight, _ = weigher.weigh(Weighed(*(getattr(negatives, name) for name in names)))
    exact = weight.astype(np.float64)
    for scope in negatives.by_tier():
        mine = exact[scope.rows]
        for key, value in describe(mine).items():
            yield Row("weight", value, len(mine), scope.tier, key=key)
        if len(mine) and mine.any():
            effective = mine.sum() ** 2 / (len(mine) * (mine**2).sum())
            yield Row("weight_effective", float(effective), len(mine), scope.tier)
    if weigher.cells is None:
        return
    chosen = weigher.cells.chosen
    after = chosen * weigher.cells.weights
    for cell in np.flatnonzero(chosen):
        places = (int(place) + 1 for place in np.unravel_index(cell, BINS))
        told = (
            f"{name} {place} of {bins}"
            for name, place, bins in zip(("surface", "cosine", "length"), places, BINS, strict=True)
        )
        key = ", ".join(told)
        count = int(chosen[cell])
        yield Row("weight_cell", count / float(chosen.sum()), count, key=key)
        yield Row("weight_cell_after", float(after[cell] / after.sum()), count, key=key)

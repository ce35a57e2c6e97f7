"""The scale of a teacher's scores: a map to what the student's cosine can reach."""

from dataclasses import asdict, dataclass

import numpy as np

from negmine.schemas import JsonObject

_NEXT_TO_ONE = 1 - 2.0**-25
"""Probabilities are float32: what is nearer to 1 stands as 1."""


def logits(probabilities: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)), (n,) float64, finite for 0 and 1 too."""
    known = np.clip(probabilities.astype(np.float64), 1e-38, _NEXT_TO_ONE)
    return np.asarray(np.log(known) - np.log1p(-known))


@dataclass(frozen=True)
class TeacherScale:
    """teacher_score = slope * x + intercept, cut off at -1 and 1.

    Attributes:
        slope, intercept: of the map.
        of: what x is: `judge_score`, or, of a judge that gives probabilities, their `judge_logit`,
            which are spread evenly where probabilities are crowded at 0 and 1.
        by: what the map was read from: `medians` of known positives and of random documents, or,
            where judge or student does not tell these apart, `spread`: mean and deviation.
        positive_judge, positive_cosine: medians of x and of the cosine over the known positives.
        random_judge, random_cosine: those over random documents.
    """

    slope: float
    intercept: float
    of: str
    by: str
    positive_judge: float
    positive_cosine: float
    random_judge: float
    random_cosine: float

    @classmethod
    def read(
        cls,
        positive: tuple[np.ndarray, np.ndarray],
        random: tuple[np.ndarray, np.ndarray],
        probabilities: bool,
    ) -> "TeacherScale":
        """From judge scores and cosines of known positives, (p,) each, and of random documents.

        Pairs whose cosine is NaN count for nothing. The slope is never negative. `probabilities`
        says whether that is what the judge gives.
        """
        of = "judge_logit" if probabilities else "judge_score"
        above, below = (_known(*pair, probabilities) for pair in (positive, random))
        medians = [float(np.median(v)) if len(v) else float("nan") for v in (*above, *below)]
        judge, cosine = medians[0] - medians[2], medians[1] - medians[3]
        if judge > 0 and cosine > 0:
            # Positives at 8 and cosine .6, random documents at -11 and .03: .57 / 19 = .03 a unit.
            slope = cosine / judge
            return cls(slope, medians[1] - slope * medians[0], of, "medians", *medians)
        scores, cosines = (np.concatenate(pair) for pair in zip(above, below, strict=True))
        if not len(scores):
            return cls(0.0, 0.0, of, "spread", *medians)
        spread = float(scores.std())
        slope = float(cosines.std()) / spread if spread > 0 else 0.0
        middle = float(cosines.mean()) - slope * float(scores.mean())
        return cls(slope, middle, of, "spread", *medians)

    def argument(self, scores: np.ndarray) -> np.ndarray:
        """x of judge scores, (n,) float64."""
        return logits(scores) if self.of == "judge_logit" else scores.astype(np.float64)

    def unbounded(self, scores: np.ndarray) -> np.ndarray:
        """Judge scores (n,) on the scale before they are cut off, (n,) float64."""
        return np.asarray(self.slope * self.argument(scores) + self.intercept)

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Judge scores (n,) on the scale, (n,) float32 in [-1, 1]."""
        return np.clip(self.unbounded(scores), -1, 1).astype(np.float32)

    def as_json(self) -> JsonObject:
        """As it stands in a manifest; what is not known is null."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def _known(
    scores: np.ndarray, cosines: np.ndarray, probabilities: bool
) -> tuple[np.ndarray, np.ndarray]:
    known = ~np.isnan(cosines)
    scores = logits(scores[known]) if probabilities else scores[known].astype(np.float64)
    return scores, cosines[known].astype(np.float64)

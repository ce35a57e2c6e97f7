"""The scale of a teacher's scores: an affine map to what the student's cosine can reach."""

from dataclasses import asdict, dataclass

import numpy as np

from negmine.schemas import JsonObject


@dataclass(frozen=True)
class TeacherScale:
    """teacher_score = slope * judge_score + intercept, cut off at -1 and 1.

    Attributes:
        slope, intercept: of the map.
        by: what they were read from: `medians` of known positives and of random documents, or,
            where a judge or the student does not tell these apart, `spread`: mean and deviation.
        positive_judge, positive_cosine: medians of the known positives.
        random_judge, random_cosine: those of random documents.
    """

    slope: float
    intercept: float
    by: str
    positive_judge: float
    positive_cosine: float
    random_judge: float
    random_cosine: float

    @classmethod
    def of(
        cls,
        positive_judge: np.ndarray,
        positive_cosine: np.ndarray,
        random_judge: np.ndarray,
        random_cosine: np.ndarray,
    ) -> "TeacherScale":
        """From judge scores and cosines of known positives (p,) and of random documents (r,).

        Pairs whose cosine is NaN count for nothing. The slope is never negative.
        """
        known, other = ~np.isnan(positive_cosine), ~np.isnan(random_cosine)
        above = [values[known].astype(np.float64) for values in (positive_judge, positive_cosine)]
        below = [values[other].astype(np.float64) for values in (random_judge, random_cosine)]
        medians = [float(np.median(v)) if len(v) else float("nan") for v in (*above, *below)]
        judge, cosine = medians[0] - medians[2], medians[1] - medians[3]
        if judge > 0 and cosine > 0:
            # Positives at 8 and cosine .6, random documents at -11 and .03: .57 / 19 = .03 a unit.
            slope = cosine / judge
            return cls(slope, medians[1] - slope * medians[0], "medians", *medians)
        scores, cosines = (np.concatenate(pair) for pair in zip(above, below, strict=True))
        if not len(scores):
            return cls(0.0, 0.0, "spread", *medians)
        spread = float(scores.std())
        slope = float(cosines.std()) / spread if spread > 0 else 0.0
        return cls(slope, float(cosines.mean()) - slope * float(scores.mean()), "spread", *medians)

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Judge scores (n,) on the scale, (n,) float32 in [-1, 1]."""
        found = self.slope * scores.astype(np.float64) + self.intercept
        return np.clip(found, -1, 1).astype(np.float32)

    def as_json(self) -> JsonObject:
        """As it stands in a manifest; what is not known is null."""
        return {k: None if v != v else v for k, v in asdict(self).items()}

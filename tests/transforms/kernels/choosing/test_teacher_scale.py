"""The scale of a teacher's scores: medians meet medians, and a cosine can reach all of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from negmine.transforms.kernels.choosing.teacher_scale import TeacherScale, logits

COSINES = st.floats(-1, 1, width=32)
SCORES = st.floats(0, 1, width=32)


def pairs(scores: list[float], cosines: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(scores, dtype=np.float32), np.array(cosines, dtype=np.float32)


def test_medians_of_the_judge_meet_those_of_the_student() -> None:
    positive, random = pairs([7, 8, 9], [0.5, 0.6, 0.9]), pairs([-11, -12, -2], [0.1, 0.0, 0.3])
    scale = TeacherScale.read(positive, random, probabilities=False)
    assert (scale.by, scale.of) == ("medians", "judge_score")
    assert scale.apply(np.array([8, -11])) == pytest.approx([0.6, 0.1])
    assert scale.slope == pytest.approx(0.5 / 19)


def test_probabilities_are_taken_as_logits() -> None:
    positive, random = pairs([0.99], [0.6]), pairs([0.01], [0.1])
    scale = TeacherScale.read(positive, random, probabilities=True)
    assert scale.of == "judge_logit"
    assert scale.apply(np.array([0.99, 0.5, 0.01])) == pytest.approx([0.6, 0.35, 0.1], abs=1e-6)
    assert np.isfinite(logits(np.array([0, 1], dtype=np.float32))).all()


def test_a_judge_that_cannot_tell_is_scaled_by_its_spread() -> None:
    positive, random = pairs([1, 2], [0.5, 0.7]), pairs([3, 4], [0.1, 0.1])
    scale = TeacherScale.read(positive, random, probabilities=False)
    assert scale.by == "spread" and scale.slope > 0
    scores = scale.apply(np.array([1, 2, 3, 4]))
    assert scores.mean() == pytest.approx(0.35)
    assert scores.std() == pytest.approx(np.std([0.5, 0.7, 0.1, 0.1]), rel=1e-5)


def test_without_a_pair_or_a_difference_every_score_is_the_same() -> None:
    nothing = pairs([], [])
    assert TeacherScale.read(nothing, nothing, False).apply(np.array([3.0])).tolist() == [0]
    alike = TeacherScale.read(pairs([1], [0.4]), pairs([1], [0.2]), False)
    assert alike.apply(np.array([0.0, 9.0])) == pytest.approx([0.3, 0.3])


def test_pairs_without_a_cosine_count_for_nothing() -> None:
    known = TeacherScale.read(pairs([8], [0.6]), pairs([1], [0.1]), False)
    more = TeacherScale.read(pairs([8, 99], [0.6, np.nan]), pairs([1], [0.1]), False)
    assert known == more


@given(
    arrays(np.float32, st.integers(0, 9), elements=SCORES),
    arrays(np.float32, st.integers(0, 9), elements=SCORES),
    st.data(),
    st.booleans(),
)
def test_scores_keep_their_order_and_a_cosine_reaches_them(
    above: np.ndarray, below: np.ndarray, data: st.DataObject, probabilities: bool
) -> None:
    cosines = [data.draw(arrays(np.float32, len(s), elements=COSINES)) for s in (above, below)]
    scale = TeacherScale.read((above, cosines[0]), (below, cosines[1]), probabilities)
    found = scale.apply(np.sort(np.concatenate([above, below])))
    assert (np.diff(found) >= 0).all() and (np.abs(found) <= 1).all()

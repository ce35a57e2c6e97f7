"""Parts of a text that ask for another part: first sentences and independent crops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.crops import LEAST_WORDS, first_sentence, two_crops

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=7), min_size=0, max_size=120)


@pytest.mark.parametrize(
    ("text", "head", "rest"),
    [
        ("How do bees fly? With wings that beat.", "How do bees fly?", "With wings that beat."),
        ("It costs 3.50 a piece. That is too much.", "It costs 3.50 a piece.", "That is too much."),
        ('He said "come on in." Then we all went.', 'He said "come on in."', "Then we all went."),
        ("A heading of words\nand then the text.", "A heading of words", "and then the text."),
        (
            "苹果公司发布了新款手机吗？价格比去年更高而且更贵。",
            "苹果公司发布了新款手机吗？",
            "价格比去年更高而且更贵。",
        ),
    ],
)
def test_the_first_sentence_asks_and_the_rest_answers(text: str, head: str, rest: str) -> None:
    assert first_sentence(text) == (head, rest)


@pytest.mark.parametrize(
    "text", ["One sentence without any more.", "Yes. And then it goes on.", ""]
)
def test_a_text_of_one_sentence_or_a_short_first_one_asks_nothing(text: str) -> None:
    assert first_sentence(text) is None


@given(WORDS, st.text(max_size=5), st.integers(0, 2**31))
def test_crops_are_spans_of_the_text_of_the_lengths_that_are_asked(
    words: list[str], key: str, seed: int
) -> None:
    found = two_crops(" ".join(words), key, (0.05, 0.5), seed)
    if len(words) < 2 * LEAST_WORDS:
        assert found is None
    for crop in found or ():
        length = len(crop.split())
        assert f" {crop} " in f" {' '.join(words)} "
        assert LEAST_WORDS <= length <= max(LEAST_WORDS, round(0.5 * len(words)))


def test_crops_depend_on_seed_and_key_alone_and_differ_with_each() -> None:
    text = " ".join(f"w{i}" for i in range(200))
    same = {two_crops(text, "a", (0.05, 0.5), 1) for _ in range(3)}
    others = {two_crops(text, key, (0.05, 0.5), seed) for key in "abc" for seed in range(5)}
    assert len(same) == 1
    assert len(others) == 15


def test_the_two_crops_are_drawn_independently_and_uniformly() -> None:
    text = " ".join(map(str, range(1000)))
    found = [two_crops(text, f"{at}", (0.1, 0.3), 7) for at in range(400)]
    spans = [[list(map(int, crop.split())) for crop in pair] for pair in found if pair]
    for which in (0, 1):
        lengths = [len(pair[which]) for pair in spans]
        assert min(lengths) >= 100
        assert max(lengths) <= 300
        assert sum(lengths) / len(lengths) == pytest.approx(200, abs=10)
        middles = [pair[which][0] / (1000 - len(pair[which])) for pair in spans]
        assert sum(middles) / len(middles) == pytest.approx(0.5, abs=0.05)
    apart = sum(a[-1] < b[0] or b[-1] < a[0] for a, b in spans)
    assert 0.2 * len(spans) < apart < 0.8 * len(spans)


def test_a_script_without_spaces_is_cut_between_letters() -> None:
    text = "苹果公司在加利福尼亚州发布了新款手机价格比去年更高这款手机的电池容量很大" * 3
    found = two_crops(text, "z", (0.2, 0.5), 3)
    assert found is not None
    assert all(crop in text for crop in found)

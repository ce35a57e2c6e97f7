"""What each edit does, and when it is left undone: rather no negative than a wrong one."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.editing.edit import Asked, Edit, is_english
from negmine.transforms.kernels.editing.entities import Entities
from negmine.transforms.kernels.editing.operations import (
    CODE,
    PROBES,
    TEXT,
    negatives_of,
    probes_of,
)

ALL = (*TEXT, *CODE, "entity")
NOBODY = Entities()


def asked(query: str, positive: str, *others: str, key: int = 7) -> Asked:
    return Asked(query, positive, (positive, *others), key)


def done(name: str, query: str, positive: str, *others: str, key: int = 7) -> Edit | None:
    return {**TEXT, **CODE, **PROBES}[name](asked(query, positive, *others, key=key))


def test_a_number_that_the_query_states_changes_at_every_mention() -> None:
    text = "Route 168 is old. Cars use Route 168 in winter, and 12 of them got stuck."
    edit = done("number", "Where does Route 168 end?", text)
    assert edit is not None
    assert (edit.original, edit.occurrences) == ("168", 2)
    assert 0.2 * 168 <= abs(int(edit.replacement) - 168) <= 0.5 * 168 + 1
    assert edit.text == text.replace("168", edit.replacement)
    assert text[edit.start : edit.end] == "168"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Where does Route 168 end?", "Route 99 ends in the hills."),  # not in the text
        ("What is true of at least 40 towns?", "A wall stands in at least 40 towns."),  # a bound
        ("What do men of 60 years eat?", "Men aged 60 years and older eat bread."),
        ("What is CD4 for?", "The receptor CD4 binds."),  # part of a name
        ("How big are the 12 towers?", "The 12 towers, all twelve of them, are big."),
        ("What are 10 to 20 people?", "A range of 10-20 people."),
        ("Which 3 rivers flow?", "It took 3 days."),  # small, and beside another word
    ],
)
def test_a_number_is_left_alone_where_another_may_be_as_true(query: str, text: str) -> None:
    assert done("number", query, text) is None


def test_numbers_and_dates_change_in_any_language() -> None:
    number = done("number", "Wo endet die Straße 168?", "Die Straße 168 endet am See.")
    date = done("date", "В каком городе в 1954 году?", "Это было в 1954 году в Москве.")
    # Other languages have other words before a year, so only one at the start counts there.
    assert number is not None and "168" not in number.text
    assert date is None


def test_a_year_and_its_decade_change_together() -> None:
    text = "By 1954 it was gone; the 1954s model too."
    edit = done("date", "What was gone in 1954?", text)
    assert edit is not None and edit.occurrences == 2 and "1954" not in edit.text


def test_an_edit_brings_in_nothing_that_another_positive_says() -> None:
    choices = {
        edit.replacement
        for key in range(40)
        if (edit := done("date", "What fell in 1954?", "It fell in 1954.", key=key))
    }
    other = " ".join(sorted(choices)[:-1])
    edit = done("date", "What fell in 1954?", "It fell in 1954.", other)
    assert edit is not None and edit.replacement not in other


def test_negation_is_put_in_and_taken_out_in_the_sentence_that_answers() -> None:
    query = "DNA replication is required to elicit responses to psoralen."
    text = "We used cells. DNA replication is required to elicit the responses to psoralen here."
    put = done("negation", query, text)
    assert put is not None and "replication is not required" in put.text
    taken = done("negation", query.replace("is required", "is not required"), put.text)
    assert taken is not None and taken.text == text


@pytest.mark.parametrize(
    "query",
    [
        "Which drug is effective in treating severe malaria?",  # that would be its answer
        "Which drug is not approved but effective in treating severe malaria?",
        "Which drug is never not effective in treating severe malaria?",
    ],
)
def test_no_negation_is_taken_out_that_the_query_does_not_state(query: str) -> None:
    text = "We saw many. Aspirin is not effective in treating severe malaria."
    assert done("negation", query, text) is None
    stated = done("negation", "Which drug is not effective in treating severe malaria?", text)
    assert stated is not None and "Aspirin is effective" in stated.text


@pytest.mark.parametrize(
    "text",
    [
        "Replication of DNA is required for psoralen responses. So DNA replication is required to "
        "elicit the responses to psoralen.",  # said twice
        "DNA replication is required and can elicit responses to psoralen.",  # two auxiliaries
        "We ask whether DNA replication is required to elicit responses to psoralen.",
        "DNA replication is not only required to elicit responses to psoralen.",
        "DNA replication is never not required to elicit responses to psoralen.",
        "Die DNA-Replikation ist nötig für psoralen replication responses required elicit.",
    ],
)
def test_negation_is_left_undone_where_the_claim_may_still_stand(text: str) -> None:
    query = "DNA replication is required to elicit responses to psoralen."
    assert done("negation", query, text) is None


def test_a_word_becomes_its_opposite_unless_the_text_has_both() -> None:
    query = "Increased oxygen concentrations in the lungs displace carbon monoxide."
    text = "Increased oxygen concentration in the lungs helps to displace carbon monoxide."
    edit = done("antonym", query, text)
    assert edit is not None and edit.text.startswith("Decreased oxygen")
    assert done("antonym", query, f"{text} Decreased pressure does not.") is None
    assert (
        done("antonym", "What does Public Health England do?", "Public Health England does it.")
        is None
    )


def test_two_arguments_change_places_around_a_directed_verb() -> None:
    edit = done(
        "argument_order",
        "Rome conquered Carthage in a war.",
        "Then Rome conquered Carthage in a war.",
    )
    assert edit is not None and edit.text == "Then Carthage conquered Rome in a war."
    passive = done(
        "argument_order",
        "Carthage was conquered by Rome.",
        "In the end Carthage was conquered by Rome.",
    )
    assert passive is not None and passive.text == "In the end Rome was conquered by Carthage."
    joined = "Rome and Carthage conquered Sicily in the war."
    assert done("argument_order", "Carthage conquered Sicily in the war.", joined) is None


CORPUS = [
    "Plague came in Venice. The James River and the Charles River are wide.",
    "Trade grew in Venice and in Paris. The James River is cold.",
    "Trade fell in Paris and in Lisbon. The Charles River, the Rhone River.",
    "Ships were built in Lisbon. The Rhone River is warm. He slept in Genoa.",
    "They ate in Genoa. They sang in Genoa.",
]


def test_an_entity_becomes_another_of_its_kind_from_the_collection() -> None:
    entities = Entities.of(CORPUS)
    assert set(entities.members["name place"]) == {"Venice", "Paris", "Lisbon", "Genoa"}
    assert set(entities.members["name River"]) == {"James River", "Charles River", "Rhone River"}
    query, text = "When was plague in Venice?", "The plague of 1361 was in Venice, and Venice fell."
    edit = entities.edit(asked(query, text))
    assert edit is not None and edit.occurrences == 2
    assert edit.replacement in {"Paris", "Lisbon", "Genoa"} and "Venice" not in edit.text


@pytest.mark.parametrize(
    "text",
    [
        "The plague was in Venice, and Venetians fled.",  # it is still named
        "The plague was in Paris.",  # it is not there
    ],
)
def test_an_entity_that_would_still_be_named_is_left_alone(text: str) -> None:
    entities = Entities.of(CORPUS)
    assert entities.edit(asked("When was plague in Venice?", text)) is None


def test_a_code_that_is_part_of_another_word_is_left_alone() -> None:
    entities = Entities.of([f"We bred {name} and {name}." for name in ("SOD1", "TRP5", "KLF4")] * 2)
    assert entities.edit(asked("What does SOD1 do?", "Here SOD1 binds.")) is not None
    assert entities.edit(asked("What does SOD1 do?", "Mutant SOD1 (mSOD1) binds.")) is None


def test_an_acronym_that_is_spelled_out_is_left_alone() -> None:
    corpus = [f"We bred {name} mice and {name} mice." for name in ("TAL", "KOX", "QRS")] * 2
    entities = Entities.of(corpus)
    assert entities.edit(asked("What do TAL mice do?", "In TAL mice it grew.")) is not None
    spelled = "In TAL (transcription activator-like) mice it grew."
    assert entities.edit(asked("What do TAL mice do?", spelled)) is None


FUNCTION = """def clamp(value, low=0, high=1):
    # -- keep it inside
    if value < low:
        return low
    if debug_level > 3:
        print("too much")
    return min(value, high) + 0
"""


@pytest.mark.parametrize("name", CODE)
def test_code_still_parses_and_differs_in_one_node(name: str) -> None:
    for key in range(12):
        edit = done(name, "Limit a value to a range.", FUNCTION, key=key)
        assert edit is not None and "debug_level > 3" in edit.text
        before, after = (list(ast.walk(ast.parse(text))) for text in (FUNCTION, edit.text))
        pairs = zip(before, after, strict=True)
        assert sum(_own(old) != _own(new) for old, new in pairs) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def wait(it):\n    while 1:\n        if it():\n            return it\n",
        "def get(it):\n    return it or (it if 1 else None)\n",
        "def size(it):\n    n = 3\n    n = len(it)\n    return n\n",
        "def size(it):\n    n = len(it)\n    if it:\n        return n\n    n = 3\n",
        "def a(it):\n    n = 3\n    return it\n\n\ndef b(n):\n    return n\n",
        "def compare(a, b):\n    if a < b:\n        return -1\n    return a > b\n",
        "def compare(a, b):\n    return -1 if a < b else a != b and 1\n",
        "def compare(a, b):\n    r = a < b\n    if a:\n        r = -1\n    return r\n",
        "def has(a, b):\n    if a == b:\n        return True\n    return -1\n",
    ],
)
def test_a_number_that_no_result_may_depend_on_is_left_alone(text: str) -> None:
    for key in range(4):
        edit = done("literal", "What it does.", text, key=key)
        assert edit is None or edit.original == "True"


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("def wait(it):\n    n = 0\n    while it(n):\n        n = n + it\n    return n\n", "0"),
        ("def add(it):\n    n = 4\n    n += it\n    return n\n", "4"),
        ("def late(it):\n    n = 2\n    def inner():\n        return n\n    return inner\n", "2"),
        (
            "def skip(it):\n    if it:\n        n = 5\n    else:\n        n = it\n    return n\n",
            "5",
        ),
        ("def same(a, b):\n    if a == b:\n        return 0\n    return -1\n", "0"),
    ],
)
def test_a_number_that_is_read_later_is_changed(text: str, original: str) -> None:
    edit = done("literal", "What it does.", text)
    assert edit is not None and edit.original == original


def _own(node: ast.AST) -> tuple[object, ...]:
    plain = [(k, v) for k, v in ast.iter_fields(node) if not isinstance(v, ast.AST | list)]
    ops = [type(op).__name__ for op in getattr(node, "ops", [])]
    return (
        type(node).__name__ if not isinstance(node, ast.operator | ast.cmpop) else "",
        plain,
        ops,
        type(getattr(node, "op", None)),
    )


def test_code_gets_no_edits_of_prose_and_prose_none_of_code() -> None:
    code = {e.operation for e in negatives_of(asked("clamp value 0", FUNCTION), NOBODY, ALL)}
    assert code == set(CODE)
    text = "In 1954 the tower fell."
    prose = {e.operation for e in negatives_of(asked("What fell in 1954?", text), NOBODY, ALL)}
    assert prose == {"date"}
    assert negatives_of(asked("What fell in 1954?", text), NOBODY, ("number",)) == []


@given(
    st.text("In abcdef 1954 of the tower is not fallen.,", min_size=1, max_size=80),
    st.text("In abcdef 1954 of the tower is not fallen.,", min_size=1, max_size=80),
    st.integers(0, 2**64 - 1),
)
def test_an_edit_says_what_changed_and_never_repeats_a_positive(
    query: str, positive: str, key: int
) -> None:
    one = Asked(query, positive, (positive,), key)
    for edit in [*negatives_of(one, NOBODY, ALL), *probes_of(one)]:
        assert edit.text != positive
        assert positive[edit.start : edit.end] == edit.original
        assert edit.text.startswith(positive[: edit.start] + edit.replacement)
    assert negatives_of(one, NOBODY, ALL) == negatives_of(one, NOBODY, ALL)


def test_probes_leave_the_words_of_the_text() -> None:
    text = 'It is not "large", because the whole method shows many results in order to help.'
    found = {edit.operation: edit.text for edit in probes_of(asked("What is large?", text))}
    assert set(found) == set(PROBES)
    assert found["case"] == text.lower()
    assert found["white_space"].split() == text.split()
    assert len(found["repetition"].split()) <= 1.33 * len(text.split())
    assert "isn't" in found["paraphrase"] and "since" in found["paraphrase"]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("The cat sat on the mat and it was happy.", True),
        ("Die Katze saß auf der Matte und war froh.", False),
        ("Le chat est sur le tapis et il est content.", False),
        ("", False),
    ],
)
def test_english_is_told_by_its_function_words(text: str, english: bool) -> None:
    assert is_english(text) is english

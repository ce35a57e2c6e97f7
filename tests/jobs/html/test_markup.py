"""Text of strangers in HTML: it is shown, and it is never markup."""

import unicodedata
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from negmine.jobs.html.markup import Markup, cut, element, escaped, table
from negmine.jobs.terminal import printable

ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)//",
    "</title></style></textarea><img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)' x=\"",
    "<!-- --!><svg/onload=alert(1)>",
    "]]>&lt;b&gt;&#60;",
    "a\0b\u2028c\u2029d\u202ee\u2066f\ufeff",
    "javascript:alert(1)",
)
hostile = st.text() | st.sampled_from(ATTACKS)


class Reader(HTMLParser):
    """Tags with their attributes, and all the text, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(hostile)
def test_text_is_read_back_as_the_printable_text_and_makes_no_tag(text: str) -> None:
    read = Reader(f"<p>{escaped(text)}</p>")
    assert read.text == printable(text, keep="\n\t")
    assert read.tags == [("p", {})]


@given(hostile)
def test_an_attribute_holds_the_printable_text_and_ends_nowhere_else(text: str) -> None:
    read = Reader(element("p", title=text))
    assert read.tags == [("p", {"title": printable(text, keep="\n\t")})]


@given(hostile)
def test_no_invisible_character_is_left(text: str) -> None:
    for letter in escaped(text).replace("\n", ""):
        kind = unicodedata.category(letter)
        assert kind not in ("Cc", "Cs", "Zl", "Zp")
        assert kind != "Cf" or letter in "\u200c\u200d"


@given(st.lists(hostile, min_size=1, max_size=4))
def test_children_that_are_not_markup_are_escaped_at_any_depth(texts: list[str]) -> None:
    read = Reader(element("div", texts, element("b", tuple(texts)), None))
    assert [tag for tag, _ in read.tags] == ["div", "b"]
    assert read.text == 2 * "".join(printable(text, keep="\n\t") for text in texts)


@given(hostile, st.integers(1, 60))
@example("\u202e" * 50, 7)
@example("<" * 50, 3)
@example("é" * 50, 5)
@example("\ud800" * 9, 11)
def test_a_cut_text_fits_and_says_what_it_lacks(text: str, size: int) -> None:
    shown, lacking = cut(text, size)
    assert len(shown.encode("utf-8")) <= size
    assert shown == escaped(text[: len(text) - lacking])
    assert (lacking == 0) or len(escaped(text).encode("utf-8")) > size


def test_attributes_that_are_none_or_false_are_left_out() -> None:
    assert element("input", class_="a", hidden=True, title=None, open=False, data_id=3) == (
        '<input class="a" hidden data-id="3">'
    )


def test_a_table_names_its_columns_its_rows_and_itself() -> None:
    read = Reader(table("<caption>", ["a", "b"], [["x", "1 < 2"], ["y", Markup("<i>z</i>")]]))
    scopes = [attributes.get("scope") for tag, attributes in read.tags if tag == "th"]
    assert scopes == ["col", "col", "row", "row"]
    assert read.text == "<caption>abx1 < 2yz"
    assert [tag for tag, _ in read.tags].count("i") == 1

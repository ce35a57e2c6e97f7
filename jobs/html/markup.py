"""HTML and SVG made of elements: whatever is not markup already is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from negmine.jobs.terminal import printable

_VOID = {"meta", "br", "input"}


class Markup(str):
    """Text that is HTML already; only this module and files of this package make it."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """A text as HTML that shows it: control, bidi and separator characters become visible.

    Lines and tabs stay what they are. Right both between tags and inside a quoted attribute.
    """
    return Markup(escape(printable(value, keep="\n\t"), quote=True))


def cut(text: str, size: int) -> tuple[Markup, int]:
    """As much of a text as fits `size` bytes once escaped, and how many characters it lacks."""
    shown = text[: len(text[:size].encode("utf-8", "replace")[:size].decode("utf-8", "ignore"))]
    markup = escaped(shown)
    while len(markup.encode("utf-8")) > size:
        excess = len(markup.encode("utf-8")) / size
        shown = shown[: min(len(shown) - 1, int(len(shown) / excess))]
        markup = escaped(shown)
    return markup, len(text) - len(shown)


def _children(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        if isinstance(value, Markup):
            yield value
        elif isinstance(value, list | tuple):
            yield from _children(value)
        elif value is not None:
            yield escaped(value)


def _attribute(name: str, value: object) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escaped(value)}"'


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """One element. Children are Markup, text (escaped), lists of either, or None (left out).

    Attributes that are None or False are left out; `class_` is `class`, `data_id` is `data-id`.
    """
    named = "".join(
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{named}>")
    return Markup(f"<{tag}{named}>{''.join(_children(children))}</{tag}>")


def table(
    caption: str, headings: list[str], rows: Sequence[Sequence[object]], stacked: bool = False
) -> Markup:
    """A table whose first column names its rows; it scrolls sideways where it is too wide.

    One that is `stacked` becomes a list on a phone: each cell below the other, with its heading.
    """
    head = [element("th", name, scope="col") for name in headings]
    names = headings if stacked else [None] * len(headings)
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            [element("td", cell, data_name=n) for cell, n in zip(row[1:], names[1:], strict=False)],
        )
        for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", head)),
            element("tbody", body),
        ),
        class_="wide stacked" if stacked else "wide",
        tabindex="0",
        role="region",
        aria_label=caption,
    )

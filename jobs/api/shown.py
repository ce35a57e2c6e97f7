"""What a notebook shows of a run, an answer and a report; plain text elsewhere."""

import html
import io
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, RenderableType

WIDTH = 120


def as_text(renderable: RenderableType) -> str:
    """A table or text of rich as plain text."""
    stream = io.StringIO()
    Console(file=stream, width=WIDTH, no_color=True).print(renderable)
    return stream.getvalue().rstrip()


@dataclass(frozen=True, repr=False)
class Answer:
    """Something told: `str(answer)`, and as it is in a notebook."""

    renderable: RenderableType

    def __str__(self) -> str:
        return as_text(self.renderable)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True)
class Report:
    """A run's page: its path, and the page itself in a notebook."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        page = html.escape(self.path.read_text(encoding="utf-8"), quote=True)
        return (
            f'<iframe srcdoc="{page}" title="report" width="100%" height="800" '
            'style="border:0" sandbox="allow-scripts"></iframe>'
        )

"""The shell of a self-contained page: its head, and the policy of what may run in it."""

import base64
import hashlib

from negmine.jobs.html.markup import Markup, element


def document(title: str, body: Markup, style: str, script: str = "") -> str:
    """A whole HTML page that loads nothing, and runs this script and style alone.

    Args:
        title: as text.
        body: the `body` element.
        style, script: code, allowed by its hash.
    """
    allowed = f"script-src {_hash(script)}; " if script else ""
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; {allowed}"
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    if script:
        body = Markup(f"{body.removesuffix('</body>')}<script>{script}</script></body>")
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _hash(code: str) -> str:
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"

"""Identifiers as words of a line, which a space in them would break."""

import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas.errors import DataError


def refuse_spaces(ids: pa.Array, what: str) -> None:
    """Raise DataError where an identifier is empty or has white space in it."""
    broken = pc.match_substring_regex(ids, r"\s|^$")
    if pc.any(broken).as_py():
        name = ids.filter(broken)[0].as_py()
        raise DataError(
            f"the {what} {name!r:.60} has white space in its identifier, and a line of TREC's "
            "formats is words; export another format, or rename it and mine again"
        )

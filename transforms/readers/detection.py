"""The language of texts whose input does not say it, found by py3langid."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from negmine.schemas.errors import ConfigError
from negmine.schemas.languages import language_code

_READ = 2000
"""Characters of a text that are looked at; more hardly changes what is found."""


def check_detector() -> None:
    """Raise ConfigError where the detector is not installed."""
    _classify()


@lru_cache(maxsize=1)
def _classify() -> Callable[[str], tuple[str, float]]:
    try:
        import py3langid
    except ImportError:
        raise ConfigError(
            "input.detect_language needs the package py3langid; run: pip install "
            "'negmine[languages]'"
        ) from None
    classify: Callable[[str], tuple[str, float]] = py3langid.classify
    return classify


def detected(texts: Sequence[str], known: Sequence[str | None]) -> list[str | None]:
    """The language code of each text: the one that is known, else what the detector finds.

    A text without a letter has none. Raises ConfigError where the detector is not installed.
    """
    classify = _classify()
    found = list(known)
    for at, text in enumerate(texts):
        if found[at] is None and any(map(str.isalpha, text)):
            found[at] = language_code(classify(text[:_READ])[0])
    return found

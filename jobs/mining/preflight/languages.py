"""Whether the languages that settings go by are known, and some text is of those asked for."""

from typing import NamedTuple

import numpy as np

from negmine.jobs.mining.context import RunContext
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.schemas.policies import language_keys
from negmine.schemas.remarks import Remark
from negmine.transforms.data.languages import languages_of
from negmine.transforms.kernels.languages import Languages, code_of, numbered
from negmine.transforms.kernels.tokenise import AUTO

_OF_PAIRS = "positive_language"
MOST_UNKNOWN = 0.05
"""Share of texts without a language above which there is a remark."""


class Ask(NamedTuple):
    """A setting that goes by languages, and whether by those of queries, and of documents."""

    setting: str
    of_queries: bool
    of_documents: bool = True


def asks(config: Config) -> list[Ask]:
    """The settings of a run that go by languages."""
    found = []
    mix = config.language_mix
    if mix is not None:
        of_queries = isinstance(mix, dict) and not mix.keys().isdisjoint(("same", "other"))
        found.append(Ask("language_mix", of_queries))
    for name, source in config.sources.on().items():
        if getattr(source, "languages", "any") != "any":
            found.append(Ask(f"sources.{name}.languages", True))
    if config.sources.bm25 and config.sources.bm25.language == AUTO:
        found.append(Ask("sources.bm25.language: auto", True))
    if any(policy.name == "translation_of_positive" for policy in config.policies or ()):
        found.append(Ask("policies.translation_of_positive", False))
    for policy in config.policies or ():
        for key in language_keys(policy):
            found.append(Ask(f"policies.{key}", True, of_documents=False))
    return found


def check_languages(run: RunContext) -> None:
    """Remark where many texts have no language that settings go by.

    Raises ConfigError where none has one, or a mix asks for languages that no document is in.
    """
    asked = asks(run.config)
    if not asked:
        return
    known = languages_of(run.ingested["documents"], run.ingested["queries"])
    if known is None:
        raise ConfigError(
            f"{asked[0].setting} goes by the languages of the texts, and no column of the input "
            "tells them. Name it as input.doc_language and input.query_language (of pairs "
            "positive_language and query_language), or set input.detect_language: true"
        )
    _known(run, "documents", known.documents, [ask for ask in asked if ask.of_documents])
    _known(run, "queries", known.queries, [ask for ask in asked if ask.of_queries])
    if isinstance(run.config.language_mix, dict):
        check_mix(run.config.language_mix, known)


def _known(run: RunContext, texts: str, codes: np.ndarray, asked: list[Ask]) -> None:
    missing = int((codes == 0).sum())
    if not asked or missing <= MOST_UNKNOWN * len(codes):
        return
    setting = asked[0].setting
    of_documents = "doc_language" if hasattr(run.config.input, "doc_language") else _OF_PAIRS
    column = "query_language" if texts == "queries" else of_documents
    if missing == len(codes):
        raise ConfigError(
            f"{setting} goes by the languages of the texts, and none of the {len(codes):,} {texts} "
            f"has one. Name the column that tells it as input.{column}, or set "
            "input.detect_language: true"
        )
    share = missing / len(codes)
    run.remarks.add(
        Remark(
            code="languages_not_known",
            serious=False,
            title=f"{100 * share:.0f} % of the {texts} have no language, and {setting} goes by it",
            fact=_MEANS[texts],
            advice=f"Give each a language in the column of input.{column}, or set "
            "input.detect_language: true.",
            numbers={"texts": texts, "missing": missing, "share": round(share, 4)},
        )
    )


_MEANS = {
    "documents": "They are in no share of a language_mix, found by no source that is held to "
    "languages, taken for no translation, and not stemmed.",
    "queries": "They are searched for in documents of all languages, have no language_mix of same "
    "and other, no threshold of their language, and are not stemmed.",
}


def check_mix(mix: dict[str, float], known: Languages) -> None:
    """Raise ConfigError where a mix asks for languages that no document is in."""
    codes = known.of_documents[0]
    codes = codes[codes != 0]
    queries = np.unique(known.queries[known.queries != 0])
    there = {
        "same": bool(np.isin(queries, codes).any()),
        "other": len(codes) > 1 or bool((~np.isin(queries, codes)).any()),
    }
    for name, share in mix.items():
        held = there[name] if name in there else bool((codes == numbered([name])[0]).any())
        if share == 0 or held:
            continue
        what = {
            "same": "no document is in the language of a query",
            "other": "no document is in another language than its query",
        }.get(name, f"no document is in {name}")
        listed = ", ".join(str(code_of(code)) for code in codes[:12])
        more = f" and {len(codes) - 12} more" if len(codes) > 12 else ""
        raise ConfigError(
            f"language_mix asks for {100 * share:g} % {name}, and {what}: the documents are in "
            f"{listed}{more}. Ask for the languages that there are"
        )

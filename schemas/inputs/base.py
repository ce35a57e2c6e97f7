"""What the inputs of several formats have in common."""

import codecs
from typing import Literal

from pydantic import Field, field_validator

from negmine.schemas.inputs.passages import Passages
from negmine.schemas.limits import MOST_BYTES, MOST_ROWS, MOST_TEXT, Model

AUTO: Literal["auto"] = "auto"
"""The column that has one of the usual names of its role, see `transforms.readers.tables.names`."""


HeaderOf = Literal["documents", "queries", "qrels", "path", "pool"]


class BaseInput(Model):
    limit: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description="mine only this many queries (stdlib: functions), by keyed hash",
    )
    bad_rows: float = Field(0.01, ge=0, le=1, description="share of rows that may be bad")
    merge_equal_queries: bool = Field(
        True,
        description="queries of the same text (Unicode form, case and white space aside) become "
        "one with the positives of all; false = each stays, and no positive of one is a negative "
        "of another",
    )
    max_text_bytes: int = Field(
        1_000_000, ge=1, le=MOST_TEXT, description="longer texts are bad rows"
    )
    max_unpacked_bytes: int | None = Field(
        None,
        ge=1,
        le=MOST_BYTES,
        description="what a .gz, .zst or Parquet file may unpack to; null = 100 times the file, "
        "1 GiB at least",
    )
    labels: str | None = Field(
        None,
        description="reviewed pairs, as `negmine relabel` writes them: further positives, and "
        "confirmed negatives, which no judge's policy drops",
    )
    detect_language: bool = Field(
        False,
        description="find the language of every text that has none in a column, see "
        "docs/languages.md; needs the extra languages",
    )
    queries_are_documents: Literal["auto"] | bool = Field(
        "auto",
        description="whether queries and corpus are one collection, so that a document with a "
        "query's identifier, or a passage of it, is that query; auto = found from the texts "
        "of equal identifiers",
    )


class TextInput(BaseInput):
    header: bool | Literal["auto"] | tuple[HeaderOf, ...] = Field(
        AUTO,
        description="whether CSV and TSV files begin with a header; auto = seen by its names, "
        "and where that is not certain the run stops and asks; a list names the settings whose "
        "files do, such as [documents], and is auto for the others",
    )
    encoding: str = Field(
        "utf-8", description="of CSV and TSV files, by Python's name: utf-8, cp1252, utf-16, gbk"
    )

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            known = codecs.lookup(encoding)
        except (LookupError, ValueError):
            raise ValueError(
                f"there is no encoding {encoding!r:.40}; write one such as utf-8, cp1252, cp1251, "
                "utf-16, gbk, shift_jis"
            ) from None
        if not known._is_text_encoding:
            raise ValueError(f"{encoding} is no encoding of text")
        return known.name


class CutInput(BaseInput):
    passages: Passages | None = Field(
        None, description="cut documents into passages, see docs/sources.md; null = as they are"
    )


class GroupedInput(CutInput):
    doc_group: str | None = Field(
        AUTO,
        description="column: the longer document that a passage is of; auto = group_id where there "
        "is one, else identifiers <group>#<n> tell; null = identifiers alone",
    )
    doc_place: str | None = Field(
        AUTO, description="column: the passage's number in it; auto = group_place, else as above"
    )


_OF_A_LANGUAGE = "ISO 639 code or BCP 47 tag; auto = language, lang, ... where there is one"


class LanguageColumns(Model):
    doc_language: str | None = Field(
        AUTO,
        description=f"column: a document's language, {_OF_A_LANGUAGE}; null = none",
    )
    query_language: str | None = Field(
        AUTO, description="column: a query's language, as doc_language"
    )

"""Pydantic models of the `input` section, one for each format."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from negmine.schemas.limits import MOST_BYTES, MOST_ROWS, MOST_TEXT, Model, Score
from negmine.schemas.passages import Passages

AUTO: Literal["auto"] = "auto"
"""The column that has one of the usual names of its role, see `transforms.readers.tables.names`."""


HeaderOf = Literal["documents", "queries", "qrels", "path", "pool"]


class _Input(Model):
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
        "query's identifier is that query; auto = found from the texts of equal identifiers",
    )


class _TextInput(_Input):
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


class _CutInput(_Input):
    passages: Passages | None = Field(
        None, description="cut documents into passages, see docs/sources.md; null = as they are"
    )


class _GroupedInput(_CutInput):
    doc_group: str | None = Field(
        AUTO,
        description="column: the longer document that a passage is of; auto = group_id where there "
        "is one, else identifiers <group>#<n> tell; null = identifiers alone",
    )
    doc_place: str | None = Field(
        AUTO, description="column: the passage's number in it; auto = group_place, else as above"
    )


_OF_A_LANGUAGE = "ISO 639 code or BCP 47 tag; auto = language, lang, ... where there is one"


class _LanguageColumns(Model):
    doc_language: str | None = Field(
        AUTO,
        description=f"column: a document's language, {_OF_A_LANGUAGE}; null = none",
    )
    query_language: str | None = Field(
        AUTO, description="column: a query's language, as doc_language"
    )


class BeirInput(_LanguageColumns, _TextInput, _GroupedInput):
    """BEIR folder: corpus.jsonl, queries.jsonl, qrels/<split>.tsv (each may be .gz or .zst)."""

    format: Literal["beir"]
    path: str = Field(description="the folder")
    split: str = Field("train", description="which qrels")
    evaluation_splits: tuple[str, ...] = Field(
        (),
        description="qrels kept for evaluation: their positives are never negatives, a query with "
        "the text of one of theirs is not mined",
    )


class _EvaluationFilesInput(_TextInput):
    evaluation_qrels: tuple[str, ...] = Field(
        (),
        description="qrels kept for evaluation, each named as `qrels` is: their positives are "
        "never negatives, a query with the text of one of theirs is not mined",
    )
    evaluation_queries: tuple[str, ...] = Field(
        (),
        description="where the queries of evaluation_qrels are, each named as `queries` is; "
        "[] = among `queries`",
    )

    @model_validator(mode="after")
    def _queries_have_qrels(self) -> Self:
        if self.evaluation_queries and not self.evaluation_qrels:
            raise ValueError("evaluation_queries needs evaluation_qrels, which says who is asked")
        return self


class _FilesInput(_LanguageColumns, _EvaluationFilesInput, _GroupedInput):
    documents: str = Field(description="file, folder or glob of documents")
    queries: str = Field(description="file, folder or glob of queries")
    qrels: str = Field(description="file, folder or glob of qrels; rows of grade > 0 are positives")
    doc_id: str = Field(
        AUTO, description="column: a document's identifier; auto = doc_id, _id, id, docid, pid, ..."
    )
    doc_text: str = Field(AUTO, description="column: its text; auto = text, contents, passage, ...")
    doc_title: str | None = Field(
        AUTO, description="column: its title, put before the text; auto = title; null = none"
    )
    query_id: str = Field(
        AUTO, description="column: a query's identifier; auto = query_id, _id, id, qid, ..."
    )
    query_text: str = Field(AUTO, description="column: its text; auto = text, query, question, ...")
    qrels_query_id: str = Field(
        AUTO, description="qrels column: the query; auto = as query_id, or query-id, qid, ..."
    )
    qrels_doc_id: str = Field(
        AUTO, description="qrels column: the document; auto = as doc_id, or corpus-id, pid, ..."
    )
    grade: str | None = Field(
        AUTO,
        description="qrels column: relevance; auto = grade, score, relevance, label, ... where "
        "there is one; null = all rows are positives",
    )


class ParquetInput(_FilesInput):
    """Parquet tables of documents, queries and qrels."""

    format: Literal["parquet"]


class JsonlInput(_FilesInput):
    """JSON Lines of documents, queries and qrels."""

    format: Literal["jsonl"]


class TsvInput(_EvaluationFilesInput, _CutInput):
    """Tab-separated `id text` and TREC qrels `query 0 document grade`; a header may be missing."""

    format: Literal["tsv"]
    documents: str = Field(description="collection.tsv: file, folder or glob")
    queries: str = Field(description="queries.tsv: file, folder or glob")
    qrels: str = Field(
        description="qrels.tsv: file, folder or glob; 2, 3 or 4 columns; grade > 0 is positive"
    )


Share = Annotated[float, Field(gt=0, le=1)]
Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[tuple[Column, ...], Field(min_length=1)]


class _PairColumns(_TextInput):
    query: Column = Field(
        AUTO,
        description="column of the query; auto = query, question, anchor, ..., without a header "
        "the first. A dot goes into objects, [] into lists: question.text, turns[0]",
    )
    positive: Column | Columns = Field(
        AUTO,
        description="column of the positive, or a list of them; auto = positive, pos, answer, ..., "
        "without a header the second. A column of texts or objects, or a path into them as of "
        "query: answers.text, passages[].text",
    )
    negative: Column | Columns | None = Field(
        None,
        description="column or columns of given negatives: their texts join the corpus, so that "
        "every source may find them; null = they are not read",
    )
    query_language: Column | None = Field(
        AUTO,
        description="column: the query's language, ISO 639 code or BCP 47 tag; auto = "
        "query_language, language, lang, ... where there is one; null = none",
    )
    positive_language: Column | None = Field(
        AUTO,
        description="column: the language of the positives and given negatives; auto = "
        "positive_language, language, lang, ...; null = none",
    )
    label: Column | None = Field(
        AUTO,
        description="column that says how relevant the positive is, or a list with a number for "
        "each; null = all are positives; auto = the same, and the run stops where a column has the "
        "name of a label",
    )
    label_above: Score = Field(
        0,
        description="a text is a positive where its label is above this, else a document of the "
        "corpus alone",
    )


class PairsInput(_PairColumns):
    """Rows of (query, positive text or texts); the corpus is the positives and a pool, if given."""

    format: Literal["pairs"]
    path: str = Field(description="JSON, CSV, TSV, Parquet or Arrow file, folder or glob")
    pool: str | None = Field(None, description="further documents: files as of path")
    pool_text: Column = Field(
        AUTO, description="the pool's column of text; auto = text, passage, document, ..."
    )
    evaluation_pairs: tuple[str, ...] = Field(
        (),
        description="pairs kept for evaluation, each named as `path` is: their positives are never "
        "negatives, a query with the text of one of theirs is not mined",
    )


class HfPairsInput(_PairColumns):
    """A Hugging Face data set of pairs, on disk or by name; the corpus is the positives."""

    format: Literal["hf_pairs"]
    path: str = Field(description="name[:config][/split], or a saved data set's folder[/split]")
    evaluation_pairs: tuple[str, ...] = Field(
        (),
        description="data sets kept for evaluation, each named as `path` is: their positives are "
        "never negatives, a query with the text of one of theirs is not mined",
    )


class DocumentsInput(_TextInput):
    """Documents without queries: pseudo-pairs are made of each, and labelled as such."""

    format: Literal["documents"]
    path: str = Field(description="JSON, CSV, TSV, Parquet or Arrow file, folder or glob")
    queries: Literal["title", "first_sentence", "crops"] = Field(
        "title",
        description="what asks for a document: title = its title, or its first sentence where it "
        "has none; first_sentence; crops = one span of it asks for another, independent one",
    )
    crop: tuple[Share, Share] = Field(
        (0.05, 0.5), description="crops: smallest and largest share of a text that a span has"
    )
    doc_id: Column | None = Field(
        AUTO,
        description="column: its identifier; auto = doc_id, _id, id, ...; null = a hash of the "
        "text",
    )
    doc_text: Column = Field(
        AUTO,
        description="column: its text; auto = text, contents, passage, ..., without a header the "
        "last",
    )
    doc_title: Column | None = Field(
        AUTO, description="column: its title; auto = title; null = none"
    )

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        low, high = self.crop
        if low > high:
            raise ValueError(f"crop [{low}, {high}]: the smallest share comes first")
        return self

    @property
    def drawn(self) -> bool:
        """Whether the pairs depend on the seed."""
        return self.queries == "crops"


class HfInput(_FilesInput):
    """Hugging Face data sets, on disk or by name: `name[:config][/split]` for each part."""

    format: Literal["hf"]


class IrDatasetsInput(_CutInput):
    """Anything that ir_datasets names."""

    format: Literal["ir_datasets"]
    name: str = Field(description="for example beir/scifact/train")
    evaluation_splits: tuple[str, ...] = Field(
        (),
        description="subsets kept for evaluation, for example [beir/scifact/test]: their positives "
        "are never negatives, a query with the text of one of theirs is not mined",
    )


class StdlibInput(_Input):
    """Functions of the running Python's standard library; query = docstring, document = source."""

    format: Literal["stdlib"]
    limit: int | None = Field(
        1500,
        ge=1,
        le=MOST_ROWS,
        description="functions, a deterministic subset; null = all (~4,000)",
    )


Input = Annotated[
    BeirInput
    | ParquetInput
    | JsonlInput
    | TsvInput
    | PairsInput
    | HfPairsInput
    | DocumentsInput
    | HfInput
    | IrDatasetsInput
    | StdlibInput,
    Field(discriminator="format"),
]

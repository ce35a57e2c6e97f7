"""Pairs of query and positive, and documents of which pairs are made."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from negmine.schemas.inputs.base import AUTO, TextInput
from negmine.schemas.limits import Score

Share = Annotated[float, Field(gt=0, le=1)]
Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[tuple[Column, ...], Field(min_length=1)]


class _PairColumns(TextInput):
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
    pool_title: Column | None = Field(
        AUTO,
        description="the pool's column of titles, put before the text; auto = title where the "
        "positives are objects that have one, none where they are texts, and the run stops where "
        "that cannot be told; null = none",
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


class DocumentsInput(TextInput):
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

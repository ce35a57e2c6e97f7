"""Collections: documents, queries and qrels, in files, data sets and libraries."""

from typing import Literal, Self

from pydantic import Field, model_validator

from negmine.schemas.inputs.base import (
    AUTO,
    BaseInput,
    CutInput,
    GroupedInput,
    LanguageColumns,
    TextInput,
)
from negmine.schemas.limits import MOST_ROWS


class BeirInput(LanguageColumns, TextInput, GroupedInput):
    """BEIR folder: corpus.jsonl, queries.jsonl, qrels/<split>.tsv (each may be .gz or .zst)."""

    format: Literal["beir"]
    path: str = Field(description="the folder")
    split: str = Field("train", description="which qrels")
    evaluation_splits: tuple[str, ...] = Field(
        (),
        description="qrels kept for evaluation: their positives are never negatives, a query with "
        "the text of one of theirs is not mined",
    )


class _EvaluationFilesInput(TextInput):
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


class _FilesInput(LanguageColumns, _EvaluationFilesInput, GroupedInput):
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


class TsvInput(_EvaluationFilesInput, CutInput):
    """Tab-separated `id text` and TREC qrels `query 0 document grade`; a header may be missing."""

    format: Literal["tsv"]
    documents: str = Field(description="collection.tsv: file, folder or glob")
    queries: str = Field(description="queries.tsv: file, folder or glob")
    qrels: str = Field(
        description="qrels.tsv: file, folder or glob; 2, 3 or 4 columns; grade > 0 is positive"
    )


class HfInput(_FilesInput):
    """Hugging Face data sets, on disk or by name: `name[:config][/split]` for each part."""

    format: Literal["hf"]


class IrDatasetsInput(CutInput):
    """Anything that ir_datasets names."""

    format: Literal["ir_datasets"]
    name: str = Field(description="for example beir/scifact/train")
    evaluation_splits: tuple[str, ...] = Field(
        (),
        description="subsets kept for evaluation, for example [beir/scifact/test]: their positives "
        "are never negatives, a query with the text of one of theirs is not mined",
    )


class StdlibInput(BaseInput):
    """Functions of the running Python's standard library; query = docstring, document = source."""

    format: Literal["stdlib"]
    limit: int | None = Field(
        1500,
        ge=1,
        le=MOST_ROWS,
        description="functions, a deterministic subset; null = all (~4,000)",
    )

"""Pydantic model of the `student` section: the model to be trained, or vectors that it gave."""

from typing import Literal

from pydantic import Field

from negmine.schemas.limits import MOST_TOKENS, Model


class Vectors(Model):
    """Vectors that somebody's own model gave, by identifier."""

    documents: str = Field(description="Parquet of the documents' vectors; file, folder or glob")
    queries: str = Field(description="Parquet of the queries' vectors; file, folder or glob")
    id: str = Field("id", description="column of identifiers: text or integers")
    vector: str = Field("vector", description="column of vectors: lists of float16, 32 or 64")


class Student(Model):
    """The embedding model to be trained; its geometry says how hard a negative is."""

    model: str = Field("all-MiniLM-L6-v2", description="local folder, hub name or alias")
    vectors: Vectors | None = Field(
        None, description="vectors instead of a model, which is then not loaded; null = embed"
    )
    query_prompt: str | None = Field(
        None, description='text put before every query; null = the model\'s own, "" = none'
    )
    document_prompt: str | None = Field(
        None, description='text put before every document; null = the model\'s own, "" = none'
    )
    max_length: int | None = Field(
        None, ge=4, le=MOST_TOKENS, description="tokens; null = the model's own limit"
    )
    normalize: bool = Field(True, description="scale vectors to length 1, so that dot = cosine")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto = bf16 where the hardware has it and it agrees with fp32"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    trust_remote_code: bool = Field(False, description="run code shipped with the model")
    allow_pickle: bool = Field(
        False, description="load weights in pickles (pytorch_model.bin); they can run code"
    )

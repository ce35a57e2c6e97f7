"""The sections of the student: the model that is trained, or vectors in its place."""

from pydantic import Field, model_validator

from negmine.schemas.backends import Backend, Precision, check_backend
from negmine.schemas.limits import MOST_JUDGES, MOST_TOKENS, Model


class Vectors(Model):
    """Vectors that somebody's own model gave, by identifier."""

    documents: str = Field(description="Parquet of the documents' vectors; file, folder or glob")
    queries: str = Field(description="Parquet of the queries' vectors; file, folder or glob")
    id: str = Field("id", description="column of identifiers: text or integers")
    vector: str = Field("vector", description="column of vectors: lists of float16, 32 or 64")


class Student(Model):
    """The embedding model to be trained; its geometry says how hard a negative is."""

    model: str = Field("all-MiniLM-L6-v2", description="local folder, hub name or alias")
    models: tuple[str, ...] = Field(
        (),
        max_length=MOST_JUDGES,
        description="in place of model: one a fold of the queries, the first trained without fold "
        "1, ...; each query has the one that did not see it",
    )
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
    precision: Precision = Field(
        "auto",
        description="auto = bf16 where the hardware has it and it agrees with fp32; int8 with "
        "backend openvino",
    )
    backend: Backend = Field(
        "torch", description="torch, or openvino: quicker on the CPU, the extra negmine[openvino]"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    trust_remote_code: bool = Field(False, description="run code shipped with the model")
    allow_pickle: bool = Field(
        False, description="load weights in pickles (pytorch_model.bin); they can run code"
    )

    @model_validator(mode="after")
    def _backend_fits(self) -> "Student":
        check_backend(self.backend, self.precision, self.device)
        return self

    @model_validator(mode="after")
    def _one_or_one_a_fold(self) -> "Student":
        if len(self.models) == 1:
            raise ValueError("models needs two or more, one a fold; for one there is model")
        if self.models and self.vectors:
            raise ValueError("models and vectors are both given; leave out one of them")
        if self.models and not self.normalize:
            raise ValueError("models compares cosines, so normalize: false does not go with it")
        return self

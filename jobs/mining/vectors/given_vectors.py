"""The student's vectors as somebody gave them: which files, what identifies them, the artifact."""

from dataclasses import dataclass, replace
from pathlib import Path

from negmine.jobs.mining.context import RunContext
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.graph import STAGES
from negmine.schemas import JsonObject
from negmine.schemas.config import Student
from negmine.schemas.errors import DataError
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.vectors.files import ROWS_AT_ONCE, VectorFiles
from negmine.transforms.vectors.place import PlaceVectors, forget_copy

TEXTS = ("documents", "queries")


@dataclass(frozen=True)
class GivenStudent:
    """Vectors in place of a model: files of `documents` and `queries`, with their SHA-256.

    The order of the sums is not that of the names, so that a renamed file is the same file.
    """

    files: dict[str, VectorFiles]
    sums: dict[str, list[str]]
    width: int
    normalize: bool
    precision: str = "given"
    agreement: float | None = None

    @property
    def identity(self) -> JsonObject:
        """What decides the vectors, as JSON values."""
        return {"given": self.sums, "columns": self._columns(), "normalize": self.normalize}

    @property
    def digest(self) -> str:
        """Hash of the files and of how they are read."""
        return fingerprint(self.identity)

    def key(self, texts: str) -> JsonObject:
        """What decides the vectors of `documents` or `queries`."""
        own = {"given": self.sums[texts], "columns": self._columns(), "normalize": self.normalize}
        return {**own, "kind": texts, "version": STAGES["embed"].version}

    def _columns(self) -> list[str]:
        files = self.files["documents"]
        return [files.id, files.vector]


def _files(student: Student) -> dict[str, VectorFiles]:
    vectors = student.vectors
    assert vectors is not None
    return {
        texts: VectorFiles.of(
            getattr(vectors, texts), vectors.id, vectors.vector, f"student.vectors.{texts}"
        )
        for texts in TEXTS
    }


def _width(files: dict[str, VectorFiles]) -> int:
    widths = {texts: files[texts].width() for texts in TEXTS}
    if len(set(widths.values())) > 1:
        raise DataError(
            f"student.vectors: vectors of documents hold {widths['documents']} numbers and those "
            f"of queries {widths['queries']}; export both from one model"
        )
    return widths["documents"]


def check_vectors(student: Student) -> None:
    """Raise DataError for files that are not there or do not fit, before any work is done."""
    if student.vectors is not None:
        _width(_files(student))


def given_student(student: Student, cache: Path) -> GivenStudent:
    """The given vectors; hashes are kept in `cache`. Raises DataError as `check_vectors`."""
    files = {
        texts: replace(found, digests=tuple(file_digests(found.files, cache)))
        for texts, found in _files(student).items()
    }
    sums = {t: sorted(digest.sha256 for digest in files[t].digests) for t in TEXTS}
    return GivenStudent(files, sums, _width(files), student.normalize)


def placed_vectors(run: RunContext, texts: str, student: GivenStudent) -> Artifact:
    """Vectors of `documents` or `queries` by position.

    DataError where one has no vector or none that can be used.
    """
    key = {"encoder": student.key(texts), **run.key(texts), "tokens": False}

    def make(directory: str, blocks: Blocks) -> PlaceVectors:
        return PlaceVectors(
            texts=run.ingested[texts],
            kind=texts,
            given=student.files[texts],
            width=student.width,
            normalize=student.normalize,
            directory=directory,
            blocks=blocks,
        )

    def details(dataset: Dataset) -> JsonObject:
        forget_copy(dataset)
        return {"encoder": student.key(texts), "tokens": False, "model": ""}

    return Artifact(
        "embed",
        key,
        run.rows(texts),
        make,
        label=f"place {texts}",
        details=details,
        block_size=ROWS_AT_ONCE,
    )

"""Which weights, precision and judge a run uses, and what identifies them in a fingerprint."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from negmine.schemas import JsonObject
from negmine.schemas.backends import check_backend
from negmine.schemas.config import Config, Student
from negmine.schemas.errors import ConfigError, ModelError, StorageError
from negmine.schemas.judges import (
    BiEncoder,
    CrossEncoder,
    EncoderJudge,
    Judge,
    ModelJudge,
    TokenJudge,
)
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.models.backends.package import check_openvino
from negmine.transforms.models.hardware import hardware_precision
from negmine.transforms.models.judges import DEFAULT_CROSS_ENCODER
from negmine.transforms.models.limits import check_length, most_tokens
from negmine.transforms.models.specs import EncoderSpec
from negmine.transforms.models.weights import Weights, find_weights, is_static
from negmine.transforms.storage.atomic import write_json

if TYPE_CHECKING:
    from negmine.transforms.models.encoder import Encoder

_SAMPLE = 16


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder with its settings; `identity` is what decides its vectors.

    `section` of the config names the model in errors.
    """

    weights: Weights
    student: Student
    precision: str
    agreement: float | None
    section: str = "student"

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        return self.weights.digest

    @property
    def identity(self) -> JsonObject:
        return {
            "weights": self.weights.digest,
            "precision": self.precision,
            **({} if self.student.backend == "torch" else {"backend": self.student.backend}),
            **self.student.model_dump(include=ENCODER_KEYS),
        }

    def load(self) -> "Encoder":
        """The model, loaded once a process."""
        from negmine.transforms.models.encoder import load_encoder  # torch, where a model runs

        return load_encoder(self.spec())

    def spec(self) -> EncoderSpec:
        """The EncoderSpec that workers load."""
        return EncoderSpec(
            folder=self.weights.folder,
            precision=self.precision,
            backend=self.student.backend,
            device=self.student.device,
            trust_remote_code=self.student.trust_remote_code,
            digest=self.weights.digest,
            section=self.section,
            **self.student.model_dump(include=ENCODER_KEYS),
        )


ENCODER_KEYS = {"query_prompt", "document_prompt", "max_length", "normalize"}


def choose_encoder(
    student: Student, documents: Dataset, workdir: Path, section: str = "student"
) -> EncoderChoice:
    """Find the weights and settle the precision; `section` of the config names the model.

    With `auto`, bf16 is taken where the hardware has it and the first 16 documents' vectors keep a
    cosine of at least `MIN_COSINE` with fp32. Another backend than torch is compared in any
    precision. What was found is kept in the work directory.

    Raises ModelError where another backend's vectors are not the model's.
    """
    try:
        check_backend(student.backend, student.precision, student.device)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}") from error
    weights = student_weights(student)
    torch, auto = student.backend == "torch", student.precision == "auto"
    asked = hardware_precision(student.device if torch else "cpu") if auto else student.precision
    if auto and is_static(weights):
        asked = "fp32"
    if is_static(weights) or (torch and (not auto or asked == "fp32")):
        return EncoderChoice(weights, student, asked, None, section)
    choice = EncoderChoice(weights, student, asked, None, section)
    note = workdir / "embed" / f"precision-{fingerprint(choice.identity)}.json"
    if not storage.is_file(note):
        from negmine.transforms.models.encoder import LEAST_COSINE, MIN_COSINE, agreement

        name = documents.part_names()[0]
        sample = documents.read_part(name, ["text"]).column("text").slice(0, _SAMPLE).to_pylist()
        cosine = agreement(choice.spec(), [text[:2000] for text in sample])
        chosen = asked if not auto or cosine >= MIN_COSINE else "fp32"
        if not torch and (cosine < LEAST_COSINE or (asked == "fp32" and cosine < MIN_COSINE)):
            raise ModelError(
                f"{section}.backend: {student.backend} in {asked} gives other vectors than torch "
                f"in fp32: the lowest cosine of {len(sample)} texts is {cosine:.4f}; set another "
                f"{section}.precision, or {section}.backend: torch"
            )
        write_json(note, {"precision": chosen, "lowest_cosine_with_fp32": round(cosine, 6)})
    return EncoderChoice(weights, student, *_noted(note), section)


def _noted(note: Path) -> tuple[str, float]:
    """Precision and lowest cosine with fp32, as they were found before."""
    try:
        found = storage.read_json(storage.fetch(note))
        if found["precision"] not in ("bf16", "fp32", "int8"):
            raise ValueError(f"precision is {found['precision']!r:.40}")
        return str(found["precision"]), float(found["lowest_cosine_with_fp32"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"{note} cannot be read ({type(error).__name__}: {error}); remove it and run again"
        ) from error


_OWN_KEYS = {
    "max_length",
    "device",
    "trust_remote_code",
    "allow_pickle",
    "query_prompt",
    "document_prompt",
    "precision",
    "backend",
}
"""Settings of an encoder that judges; where it is the student, those not given are its own."""


def stands_in(judge: Judge, student: Student) -> bool:
    """Whether the encoder that comes with negmine judges, for a static student has no tokens."""
    asked = isinstance(judge, TokenJudge) and judge.model is None
    if not asked or student.vectors or student.models:
        return False
    return is_static(find_weights(student.model, student.allow_pickle, student.trust_remote_code))


def judge_student(judge: EncoderJudge, student: Student) -> Student:
    """Settings of the encoder that judges: the student itself, unless another is named.

    A static student, which has no token vectors to compare, is stood in for by the encoder that
    comes with negmine.
    """
    own = judge.model_dump(include=_OWN_KEYS)
    if stands_in(judge, student):
        return Student(**own)
    is_student = judge.model == student.model and not (student.vectors or student.models)
    if judge.model is None or is_student:
        given = {key: own[key] for key in own if key in judge.model_fields_set}
        return student.model_copy(update=given)
    return Student(model=judge.model, **own)


def judge_students(judge: EncoderJudge, student: Student) -> list[Student]:
    """Settings of the encoders that judge: one, or one a fold of the queries."""
    if isinstance(judge, BiEncoder):
        own = judge.model_dump(include=_OWN_KEYS)
        return [Student(model=model, **own) for model in judge.all_models]
    return [judge_student(judge, student)]


def cross_encoder_weights(judge: ModelJudge) -> Weights:
    """The cross-encoder's weights. Raises ModelError naming the judge that needs no download."""
    try:
        name = judge.model or DEFAULT_CROSS_ENCODER
        return find_weights(name, judge.allow_pickle, judge.trust_remote_code)
    except ModelError as error:
        raise ModelError(
            f"judge: {str(error).rstrip('.')}. Or set judge.kind: fusion, which needs no download."
        ) from error


@dataclass
class Models:
    """The models of a run, each looked for once: what was found is used, keyed and named."""

    _encoders: dict[tuple[Student, str], EncoderChoice] = field(default_factory=dict)
    _cross_encoders: dict[tuple[str | None, bool, bool], Weights] = field(default_factory=dict)

    def encoder(
        self, settings: Student, documents: Dataset, workdir: Path, section: str
    ) -> EncoderChoice:
        """As `choose_encoder`."""
        key = (settings, section)
        if key not in self._encoders:
            self._encoders[key] = choose_encoder(settings, documents, workdir, section)
        return self._encoders[key]

    def cross_encoder(self, judge: CrossEncoder) -> Weights:
        """As `cross_encoder_weights`."""
        key = (judge.model, judge.allow_pickle, judge.trust_remote_code)
        if key not in self._cross_encoders:
            self._cross_encoders[key] = cross_encoder_weights(judge)
        return self._cross_encoders[key]


def judge_weights(judge: ModelJudge, student: Student) -> list[Weights]:
    """Weights of a judge that is one model, or one a fold."""
    if isinstance(judge, EncoderJudge):
        return [student_weights(encoder) for encoder in judge_students(judge, student)]
    return [cross_encoder_weights(judge)]


def student_weights(student: Student) -> Weights:
    """Weights of an encoder. Raises ModelError where there are none."""
    return find_weights(student.model, student.allow_pickle, student.trust_remote_code)


def all_weights(student: Student) -> list[Weights]:
    """Weights of a student: of its model or, in their order, of its models; none for vectors."""
    if student.vectors is not None:
        return []
    names = student.models or (student.model,)
    return [student_weights(student.model_copy(update={"model": name})) for name in names]


def check_models(config: Config) -> None:
    """Raise for a model that cannot be found, a backend that is not installed or a length that the
    model does not take, before any work."""
    if config.student.backend == "openvino":
        check_openvino("student")
    for weights in all_weights(config.student):
        _check_length("student", weights, config.student.max_length)
    for judge in config.judge.flat():
        if isinstance(judge, ModelJudge):
            if judge.backend == "openvino":
                check_openvino("judge")
            for weights in judge_weights(judge, config.student):
                _check_length("judge", weights, judge.max_length)


def _check_length(section: str, weights: Weights, asked: int | None) -> None:
    positions = most_tokens(Path(weights.folder)) if asked is not None else None
    check_length(weights.folder, f"{section}.max_length", asked, positions)

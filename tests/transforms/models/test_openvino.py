"""OpenVINO: torch's numbers nearly, the same bits in any company, refusals in words."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError, ModelError
from negmine.schemas.judges import judge_of
from negmine.transforms.models.backends import package
from negmine.transforms.models.cross_encoder import CrossEncoderJudge
from negmine.transforms.models.encoder import SentenceTransformerEncoder, agreement
from negmine.transforms.models.specs import CrossEncoderSpec, EncoderSpec
from negmine.transforms.models.weights import find_weights
from tests.transforms.models.test_encoder import TEXTS
from tests.transforms.models.test_judges import PAIRS, wide

PRECISIONS = {"fp32": 0.99999, "bf16": 0.999, "int8": 0.98}


@pytest.fixture(scope="module", params=PRECISIONS)
def encoder(request: pytest.FixtureRequest) -> SentenceTransformerEncoder:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    folder = find_weights("all-MiniLM-L6-v2").folder
    spec = EncoderSpec(folder, precision=request.param, backend="openvino")
    return SentenceTransformerEncoder(spec)


def test_vectors_are_nearly_those_of_torch(encoder: SentenceTransformerEncoder) -> None:
    assert agreement(encoder.spec, TEXTS) >= PRECISIONS[encoder.spec.precision]
    kept = {"fp32": "float32", "bf16": "bfloat16", "int8": "int8"}
    assert encoder.dtype == kept[encoder.spec.precision]
    assert encoder.dimension == 384


def test_a_text_has_the_same_bits_in_any_company(encoder: SentenceTransformerEncoder) -> None:
    texts = [*TEXTS, *(f"{text} {number}" for number in range(9) for text in TEXTS)]
    together = encoder.encode(texts, "document", tokens=True)
    assert together.token_vectors is not None
    for rows in ([0], [1], [4], [3, 40, 11], list(range(len(texts)))[::-1], list(range(7, 31))):
        found = encoder.encode([texts[row] for row in rows], "document", tokens=True)
        assert found.token_vectors is not None
        assert np.array_equal(found.vectors, together.vectors[rows])
        for row, tokens in zip(rows, found.token_vectors, strict=True):
            assert np.array_equal(tokens, together.token_vectors[row])


def test_bits_do_not_depend_on_the_number_of_cores(encoder: SentenceTransformerEncoder) -> None:
    threads = torch.get_num_threads()
    other = 1 if threads > 1 else 2
    torch.set_num_threads(other)
    try:
        again = SentenceTransformerEncoder(encoder.spec).encode(TEXTS, "query").vectors
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(again, encoder.encode(TEXTS, "query").vectors)


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-5), ("bf16", 0.02), ("int8", 0.1)])
def test_a_cross_encoders_scores_are_nearly_torchs_and_the_same_in_any_company(
    tmp_path: Path, precision: str, most: float
) -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    folder = str(wide(tmp_path / "model"))
    expected = CrossEncoderJudge(CrossEncoderSpec(folder, device="cpu")).score(PAIRS)
    spec = CrossEncoderSpec(folder, precision=precision, backend="openvino")
    judge = CrossEncoderJudge(spec)
    together = judge.score(PAIRS)
    assert np.abs(together - expected).max() <= most
    assert together.std() > 1e-3
    alone = np.concatenate([judge.score([pair]) for pair in PAIRS])
    assert np.array_equal(alone, together)


def test_importing_openvino_does_not_report_to_its_makers() -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    program = (
        "import sys, types; told = []\n"
        "class Telemetry:\n"
        "    def __init__(self, *a, **k): pass\n"
        "    def __getattr__(self, name): return lambda *a, **k: told.append(name)\n"
        "known = types.ModuleType('openvino_telemetry'); known.Telemetry = Telemetry\n"
        "sys.modules['openvino_telemetry'] = known\n"
        "from negmine.transforms.models.backends.package import openvino\n"
        "openvino().Core(); assert not told, told\n"
        "assert sys.modules['openvino_telemetry'] is known\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_backend_that_is_not_installed_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(package.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'negmine\[openvino\]'"):
        package.check_openvino("student")


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ({"precision": "int8"}, "int8 needs backend: openvino"),
        ({"backend": "openvino", "device": "cuda"}, "runs on the CPU"),
        ({"backend": "onnx"}, "'torch' or 'openvino'"),
    ],
)
def test_what_a_backend_cannot_do_is_refused(student: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Config.model_validate({"input": {"path": "x"}, "student": student})


def test_a_cross_encoder_in_int8_needs_another_backend() -> None:
    with pytest.raises(ValueError, match="needs backend: openvino"):
        judge_of(kind="cross_encoder", precision="int8")


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from negmine.transforms.models.backends.openvino import run_in_openvino

    encoder = SentenceTransformerEncoder(EncoderSpec(find_weights("all-MiniLM-L6-v2").folder))
    transformer = encoder.model[0]
    transformer.modality_config = {"text": {"method": "encode_text", "method_output_name": "x"}}
    with pytest.raises(ModelError, match="backend: torch"):
        run_in_openvino(transformer, "FOLDER", "student", "fp32")

"""The kind of processor: in the manifest, without torch where a run needs none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from negmine.jobs.runner.processor import processor, torch_processor

CODE = """
import json, sys
from negmine.jobs.runner.processor import processor, torch_processor
first = processor()
print(json.dumps([first, "torch" in sys.modules, torch_processor()]))
"""


def found(**environment: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return list(json.loads(done.stdout))


def test_it_names_what_decides_the_bits_and_does_not_import_torch() -> None:
    plain, imported, torch = found()
    assert not imported
    assert set(plain) == {"architecture", "model", "numpy", "faiss"}
    assert set(torch) == {"architecture", "model", "torch"}
    assert plain == processor() and torch == torch_processor()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="names of x86 instruction sets")
def test_instructions_that_are_switched_off_are_another_kind() -> None:
    usual, _, usual_torch = found()
    plain, _, torch = found(OPENBLAS_CORETYPE="Nehalem", ATEN_CPU_CAPABILITY="default")
    assert plain["numpy"] != usual["numpy"]
    assert torch["torch"] != usual_torch["torch"]


def test_a_published_run_names_it(first: tuple[Path, object]) -> None:
    manifest = json.loads((first[0] / "manifest.json").read_text())
    assert manifest["processor"] == {**processor(), "embed": torch_processor()}
    assert manifest["precision"]["student_dtype"] in {"float32", "bfloat16"}

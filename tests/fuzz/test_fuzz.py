"""Any bytes give rows, dead letters or an error for people, and never anything else."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, run, seeds

EXAMPLES = 60
_ODD = (b"\0", b"\xff", b"\r", b"\t", b"{", b"[", b'"', b"\\ud800", b"*a", b"&a ", b"!!int ", b"-1")


@st.composite
def changed(draw: Any, name: str) -> bytes:
    """A whole input with some bytes overwritten, put in or taken out, or cut off."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        stop = at + draw(st.sampled_from((0, 1, 2, 8)))
        data[at:stop] = draw(st.sampled_from(_ODD) | st.binary(max_size=8))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_rows_or_an_error_for_people(name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=300_000,  # only what hangs
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(st.binary(max_size=300) | changed(name))
    def check(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(name, data, Path(folder))

    check()


FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_what_was_found_stays_mended(file: Path, tmp_path: Path) -> None:
    run(file.name.partition("-")[0], file.read_bytes(), tmp_path)

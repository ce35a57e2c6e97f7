"""Fuzzing with atheris: `python -m tests.fuzz TARGET [SECONDS]`; it stops at what is found."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["negmine", "yaml", "json"]):
    from tests.fuzz.targets import TARGETS, run, seeds


def main() -> None:
    """Fuzz one target for some time. libFuzzer prints executions and writes what it finds."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"python -m tests.fuzz {'|'.join(TARGETS)} [SECONDS]")
    name = sys.argv[1]
    seconds = sys.argv[2] if len(sys.argv) > 2 else "60"
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        corpus.mkdir()
        for at, seed in enumerate(seeds(name)):
            (corpus / str(at)).write_bytes(seed)
        limits = [
            f"-max_total_time={seconds}",
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-max_len=8192",
        ]
        arguments = [sys.argv[0], *limits, f"-artifact_prefix={name}-", str(corpus)]
        atheris.Setup(arguments, lambda data: run(name, data, Path(place)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()

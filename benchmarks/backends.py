"""Encoding on the CPU by backend and precision, beside sentence-transformers, in turn.

    python benchmarks/backends.py --collection data/scifact --documents 48 --rounds 3

Prints Markdown: CPU seconds and seconds of the encoding alone, ratios to sentence-transformers in
fp32, and the lowest cosine with its vectors. CPU seconds are comparable on a busy machine too.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from negmine.transforms.models.encoder import SentenceTransformerEncoder
from negmine.transforms.models.specs import EncoderSpec
from negmine.transforms.models.weights import find_folder

CASES = (
    ("torch", "fp32"),
    ("torch", "bf16"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
)


def texts_of(collection: Path, count: int) -> list[str]:
    """Documents of a BEIR folder, title and text, drawn with a fixed seed."""
    with open(collection / "corpus.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    drawn = np.random.default_rng(1).permutation(len(rows))[:count]
    return [f"{rows[at].get('title') or ''} {rows[at]['text']}".strip() for at in drawn]


def encoders(folder: str, texts: list[str]) -> dict[str, Callable[[], np.ndarray]]:
    """What is measured, by name; sentence-transformers with its defaults first."""
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(folder, device="cpu")
    found: dict[str, Callable[[], np.ndarray]] = {
        "sentence-transformers fp32": lambda: theirs.encode(texts, show_progress_bar=False)
    }
    for backend, precision in CASES:
        spec = EncoderSpec(folder, precision=precision, backend=backend, device="cpu")
        ours = SentenceTransformerEncoder(spec)
        found[f"{backend} {precision}"] = lambda ours=ours: ours.encode(texts, "document").vectors  # type: ignore[misc]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--collection", type=Path, default=Path("data/scifact"))
    parser.add_argument("--documents", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--student", default="all-MiniLM-L6-v2")
    given = parser.parse_args()
    found = encoders(str(find_folder(given.student)), texts_of(given.collection, given.documents))
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    vectors: dict[str, np.ndarray] = {}
    for _ in range(given.rounds):
        for name, encode in found.items():
            cpu, wall = time.process_time(), time.perf_counter()
            vectors[name] = encode()
            seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    exact = next(iter(vectors.values()))
    base = np.median(next(iter(seconds.values())), axis=0)
    print("| | CPU s | ratio | s | ratio | lowest cosine |\n|---|---:|---:|---:|---:|---:|")
    for name, taken in seconds.items():
        cpu, wall = np.median(taken, axis=0)
        cosine = float((vectors[name] * exact).sum(1).min())
        print(
            f"| {name} | {cpu:.2f} | {cpu / base[0]:.2f} | {wall:.2f} | {wall / base[1]:.2f} "
            f"| {cosine:.5f} |"
        )


if __name__ == "__main__":
    main()

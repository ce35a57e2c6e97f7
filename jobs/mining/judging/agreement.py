"""How far a cross-encoder's scores are from torch's in fp32, on a sample, if it runs otherwise."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.judgement import cross_encoder_spec, pair_store
from negmine.schemas.errors import ModelError, StorageError
from negmine.schemas.judges import CrossEncoder
from negmine.transforms import storage
from negmine.transforms.models.judges import load_cross_encoder
from negmine.transforms.storage.atomic import write_json

MOST_DIFFERENCE = 0.25
"""Of two probabilities; above it backend and precision do not compute this model."""

_SAMPLE = 64


def note_of(run: RunContext, judge: CrossEncoder) -> Path:
    """Where what was found is kept in the work directory."""
    return run.work.root / "pair_scores" / f"agreement-{pair_store(run, judge).name}.json"


def _is_exact(judge: CrossEncoder) -> bool:
    return (judge.backend, judge.precision) == ("torch", "fp32")


def known_difference(run: RunContext, judge: CrossEncoder) -> float | None:
    """Largest difference on the sample as it was found before; None for torch in fp32."""
    note = note_of(run, judge)
    if _is_exact(judge) or not storage.is_file(note):
        return None
    try:
        return float(storage.read_json(storage.fetch(note))["largest_difference_from_fp32"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"{note} cannot be read ({type(error).__name__}: {error}); remove it and run again"
        ) from error


def find_difference(run: RunContext, judge: CrossEncoder) -> None:
    """Compare the scores of 64 pairs, a query and a document by their places, and keep it.

    Raises ModelError where two scores of a pair are further apart than `MOST_DIFFERENCE`.
    """
    if _is_exact(judge) or storage.is_file(note_of(run, judge)):
        return
    from negmine.transforms.models.cross_encoder import CrossEncoderJudge

    texts = []
    for name in ("queries", "documents"):
        dataset = run.ingested[name]
        part = dataset.read_part(dataset.part_names()[0], ["text"]).column("text")
        texts.append([text[:2000] for text in part.slice(0, _SAMPLE).to_pylist()])
    queries, documents = texts
    pairs = [(queries[at % len(queries)], document) for at, document in enumerate(documents)]
    spec = cross_encoder_spec(run, judge)
    exact = CrossEncoderJudge(replace(spec, precision="fp32", backend="torch")).score(pairs)
    difference = float(np.abs(load_cross_encoder(spec).score(pairs) - exact).max())
    if difference > MOST_DIFFERENCE:
        raise ModelError(
            f"judge.precision: {judge.precision} in {judge.backend} gives other scores than fp32 "
            f"in torch: of {len(pairs)} pairs they differ by up to {difference:.3f}; set another "
            "judge.precision or judge.backend"
        )
    write_json(note_of(run, judge), {"largest_difference_from_fp32": round(difference, 6)})

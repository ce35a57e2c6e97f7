"""Labels of documents: 1 or the grade for known positives, 0 for all else; or a score."""

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.reading.block import Documents, QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives


def documents_of(rows: RunNegatives, block: QueryBlock) -> Documents:
    """A query's documents: positives first, or in the student's order where that is exported."""
    return block.documents("similarity" if rows.ranked else "given")


def grades(documents: Documents) -> np.ndarray:
    """The grade of positives, 1 where none is stated; 0 of all else; (r,) float32."""
    known = documents.table["grade"].combine_chunks().fill_null(1).to_numpy()
    return np.where(documents.positive, known, 0).astype(np.float32)


def shares(rows: RunNegatives, documents: Documents) -> np.ndarray:
    """Grades as parts of the highest of the run, from 0 to 1, (r,) float32."""
    return (grades(documents) / max(1.0, rows.highest_grade)).astype(np.float32)


def scores(documents: Documents) -> pa.Array:
    """The documents' scores."""
    return documents.table["score"].combine_chunks()

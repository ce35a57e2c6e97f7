"""All that the steps of any job are made of, but for torch: workers import it before their work.

An engine waits as long as it takes until a worker says that it is there, and from then on three
minutes until it takes its first work (`GrpcDataService` of Beam's job servers), which no option
changes. What is imported before a worker says so does not count.
"""

from negmine.pipelines import ingest, retrieve, stage
from negmine.transforms.choosing import publish, score, select
from negmine.transforms.judging import calibrate, cross_encoder, judge, pair_scores, sample
from negmine.transforms.models import judges, specs
from negmine.transforms.sources import given, random_documents
from negmine.transforms.vectors import embed, place

__all__ = [
    "calibrate",
    "cross_encoder",
    "embed",
    "given",
    "ingest",
    "judge",
    "judges",
    "pair_scores",
    "place",
    "publish",
    "random_documents",
    "retrieve",
    "sample",
    "score",
    "select",
    "specs",
    "stage",
]

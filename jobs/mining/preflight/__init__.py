"""What a run finds out before its long stages, so that hours are not spent on what cannot work."""

from typing import TYPE_CHECKING

from negmine.jobs.mining.preflight.judges import check_judges
from negmine.jobs.mining.preflight.language import check_language
from negmine.jobs.mining.preflight.models import try_judges, try_student
from negmine.jobs.mining.preflight.sources import check_sources
from negmine.jobs.mining.preflight.vectors import check_zero_vectors

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner

__all__ = ["after", "check_judges"]

_WITHOUT_JUDGE = ("embed", "retrieve")


def after(miner: "Miner", stage: str, until: str) -> None:
    """Look at what a stage made, before the next one, in a run that goes on until another stage.

    After ingest: a few texts and pairs go through the models, and the language is compared with the
    letters. After embed: zero vectors. After retrieve: sources that find nothing, and judges that
    cannot tell positives from random documents. Adds remarks to the run; raises what a model
    raises.
    """
    judges = until not in _WITHOUT_JUDGE
    if stage == "ingest" and until != "ingest":
        check_language(miner)
        try_student(miner)
        if judges:
            try_judges(miner)
    elif stage == "embed":
        check_zero_vectors(miner)
    elif stage == "retrieve":
        check_sources(miner)
        if judges:
            check_judges(miner)

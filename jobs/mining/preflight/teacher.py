"""Whether the judge ranks known positives better than the student: else distilling does not pay."""

from negmine.jobs.mining.context import RunContext
from negmine.schemas.remarks import Remark
from negmine.transforms.metrics.estimates.teacher import TeacherCheck


def check_teacher(run: RunContext, check: TeacherCheck | None) -> None:
    """Remark where the judge is not shown to rank the positives better than the student does."""
    if check is None or check.low > 0:
        return
    worse = check.high < 0
    what = "worse than the student" if worse else "not shown to be better than the student"
    interval = f"{check.difference:+.3f} [{check.low:+.3f}, {check.high:+.3f}]"
    run.remarks.add(
        Remark(
            code="judge_no_better_than_student",
            serious=worse,
            title=f"The judge ranks the known positives {what}: nDCG@10 {check.judge:.3f} against "
            f"{check.student:.3f}, difference {interval}",
            fact=f"Measured over the positives and the documents drawn for the lists of "
            f"{check.queries:,} queries; the interval is of 95 %. A student cannot learn to rank "
            "better from a teacher that does not, so distilling from these lists does not pay.",
            advice="Take a stronger judge for the domain and language of the texts (judge.model), "
            "or train with the negatives alone.",
            numbers=check.as_json(),
        )
    )

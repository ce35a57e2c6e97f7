"""A published run as exporters are given it."""

from negmine.jobs.runs.published import Run
from negmine.schemas import JsonObject
from negmine.transforms.data.sql import has_parts
from negmine.transforms.exporters import Source


def source_of(run: Run) -> Source:
    """What exporters need of a run, from its manifest. Raises StorageError where it is damaged."""
    artifacts = run.artifacts()
    lacking = [name for name in ("documents", "queries") if name not in artifacts]
    summary: JsonObject = run.manifest.get("summary", {})
    config: JsonObject = run.manifest.get("config", {})
    student: JsonObject = config.get("student") or {}
    judge: JsonObject = config.get("judge") or {}
    return Source(
        run=run.path,
        run_id=run.run_id,
        quotas=run.quotas,
        documents=artifacts.get("documents"),
        queries=artifacts.get("queries"),
        no_texts=run.missing_artifact(lacking[0]) if lacking else "",
        outputs=run.kept,
        input=summary.get("input", {}),
        seed=int(config.get("seed", 42)),
        probabilities=judge.get("kind") == "cross_encoder",
        teacher=(summary.get("lists") or {}).get("scale"),
        query_prompt=student.get("query_prompt") or "",
        document_prompt=student.get("document_prompt") or "",
        about=_about(run, summary, student, judge),
    )


def has_lists(run: Run) -> bool:
    """Whether the run has teacher lists."""
    return has_parts(run.path / "lists")


def _about(
    run: Run, summary: JsonObject, student: JsonObject, judge: JsonObject
) -> dict[str, object]:
    """What a data set's card tells of the run."""
    told = {
        "student": student.get("model"),
        "query prompt": student.get("query_prompt"),
        "document prompt": student.get("document_prompt"),
        "judge": judge.get("model") or judge.get("kind"),
        "documents": summary.get("documents"),
        "queries": summary.get("queries"),
        "positives": summary.get("positives"),
        "mined": run.manifest.get("created"),
        "negmine": (run.manifest.get("versions") or {}).get("negmine"),
    }
    return {name: value for name, value in told.items() if value not in (None, "")}

"""Whether workers see what the config names: input, models, work directory and output."""

from collections.abc import Callable, Iterator

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.schemas.config import Config
from negmine.schemas.judges import BiEncoder, ModelJudge, Precomputed
from negmine.schemas.locations import parts_of
from negmine.transforms import storage
from negmine.transforms.models.weights import packaged

_FILES = (
    "path",
    "pool",
    "documents",
    "queries",
    "qrels",
    "labels",
    "evaluation_pairs",
    "evaluation_qrels",
    "evaluation_queries",
)
_LIBRARIES = ("hf", "hf_pairs", "ir_datasets")

Place = Callable[[str, str], Check]
"""How a place stands, of the key that names it and the path or URL."""


def place_checks(config: Config, runner: str, here: bool) -> Iterator[Check]:
    """A check for each place that the config names.

    Args:
        config: of the run.
        runner: `runner.name`.
        here: whether the engine's service is on this machine, and its workers most likely too.
    """
    place: Place = _on_dataflow if runner == "dataflow" else _here if here else _elsewhere
    yield from _inputs(config, runner, place)
    for key, path in _read(config):
        yield place(key, path)
    for key, model in _models(config):
        yield _model(key, model, runner, place)
    output = config.output
    yield place("output.path", output.path)
    if output.workdir:
        yield place("output.workdir", output.workdir)


def _inputs(config: Config, runner: str, place: Place) -> Iterator[Check]:
    found = config.input
    if found.format == "stdlib":
        yield unknown(
            "input",
            "each worker reads the standard library of its own Python",
            "give workers the very version of Python that is here",
        )
    elif found.format in _LIBRARIES:
        said = f"{found.format} is read from the library's cache on the machine that reads it"
        do = "write the collection as Parquet or JSONL to a place that workers see, and name that"
        yield (wrong if runner == "dataflow" else unknown)("input", said, do)
    for name in _FILES if found.format not in _LIBRARIES else ("labels",):
        value = getattr(found, name, None)
        if found.format == "documents" and name == "queries":
            continue
        for path in [value] if isinstance(value, str) else value or ():
            yield place(f"input.{name}", path)


def _read(config: Config) -> Iterator[tuple[str, str]]:
    """Other files that stages read, by key."""
    given, vectors = config.sources.given, config.student.vectors
    if given is not None:
        yield "sources.given.path", given.path
    if vectors is not None:
        yield "student.vectors.documents", vectors.documents
        yield "student.vectors.queries", vectors.queries
    for judge in config.judge.flat():
        if isinstance(judge, Precomputed):
            yield "judge.path", judge.path


def _models(config: Config) -> Iterator[tuple[str, str]]:
    student = config.student
    if student.vectors is None:
        for model in student.models or (student.model,):
            yield "student.model", model
    for judge in config.judge.flat():
        if isinstance(judge, BiEncoder):
            for model in judge.all_models:
                yield "judge.model", model
        elif isinstance(judge, ModelJudge) and judge.model is not None:
            yield "judge.model", judge.model


def _model(key: str, model: str, runner: str, place: Place) -> Check:
    if parts_of(model) is not None or storage.local_path(model).is_dir():
        return place(key, model)
    if packaged(model):
        return ok(key, f"{model}: its weights come with a package, which workers have too")
    said = f"{model} is a name of the hub, whose files land in this machine's cache"
    do = "copy its folder to a place that workers see, and name that"
    return (wrong if runner == "dataflow" else unknown)(key, said, do)


def _on_dataflow(key: str, path: str) -> Check:
    found = parts_of(path)
    if found is None:
        said = f"{path} is on this machine, which workers do not see"
        return wrong(key, said, "copy it to gs:// and name that")
    if found[0] == "s3":
        return unknown(key, path, "Dataflow sets no AWS_* variables: see that the image has them")
    return ok(key, path)


def _elsewhere(key: str, path: str) -> Check:
    if parts_of(path) is not None:
        return unknown(key, path, "workers need the store's variables too (docs/object-stores.md)")
    absolute = storage.local_path(path).absolute()
    return unknown(key, absolute, "see that every worker has it under this very name")


def _here(key: str, path: str) -> Check:
    if parts_of(path) is not None:
        return ok(key, path)
    return ok(key, f"{storage.local_path(path).absolute()}, and the service is on this machine")

"""One collection in every shape that people have: each is understood, and nothing of it is lost."""

from pathlib import Path

import pytest

from benchmarks._shape_files import Shape, collection
from benchmarks._shapes import shapes
from negmine.jobs.resolve_config import Choices, resolve
from negmine.schemas.errors import DataError
from tests.transforms.input_files import ingest

THINGS = ("apple", "river", "star", "cell", "cloud", "stone", "train", "violin")
TEXTS = [
    (
        f"where is the {thing} to be found?",
        f"The {thing}, so they say,\nis always behind the {next_}.",
    )
    for thing, next_ in zip(THINGS, (*THINGS[1:], "moon"), strict=True)
]
PAIRS = collection(TEXTS, several=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shape]:
    folder = tmp_path_factory.mktemp("shapes")
    return {shape.name: shape for shape in shapes(folder, PAIRS)}


def names() -> list[str]:
    """The shapes there are, without writing them at import."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return [shape.name for shape in shapes(Path(folder), PAIRS, datasets=False)]


SAVED = (
    "saved Hugging Face data set",
    "saved dictionary of splits",
    "saved corpus, queries and qrels",
)


def choices(shape: Shape) -> Choices:
    told = dict(zip(shape.options[::2], shape.options[1::2], strict=True))
    positive = (told["--positive"],) if "--positive" in told else ()
    settings = [told["--set"]] if "--set" in told else []
    return Choices(query=told.get("--query"), positive=positive, settings=settings)


@pytest.mark.parametrize("name", [*names(), *SAVED])
def test_every_query_and_positive_is_found(
    made: dict[str, Shape], name: str, tmp_path: Path
) -> None:
    shape = made[name]
    chosen = choices(shape)
    if shape.says:
        with pytest.raises(DataError) as told:
            resolve(shape.path, chosen)
        assert shape.says in str(told.value)
        return
    config = resolve(shape.path, chosen).config(chosen)
    counts = ingest(config.input, tmp_path / "ingested")
    assert (counts["queries"], counts["positives"]) == (shape.queries, shape.positives)
    assert counts["dead_letters"] == 0
    assert counts["documents"] >= len(TEXTS)

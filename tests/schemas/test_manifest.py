"""The manifest's contract: its JSON Schema is that of the models, and versions are told apart."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from negmine import schemas
from negmine.jobs.runs.trust import check_manifest
from negmine.schemas.errors import StorageError
from negmine.schemas.manifest import MANIFEST_VERSION, Manifest, json_schema

FILE = Path(schemas.__file__).parent / "manifest.schema.json"


def test_the_schema_beside_the_models_is_theirs() -> None:
    """Written by `python -c 'import json; from negmine.schemas.manifest import json_schema;
    print(json.dumps(json_schema(), indent=1, sort_keys=True))'`."""
    assert json.loads(FILE.read_text()) == json.loads(json.dumps(json_schema()))


def test_every_key_of_a_manifest_is_listed() -> None:
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate({})
    missing = {str(error["loc"][0]) for error in caught.value.errors()}
    optional = {"manifest_version", "parent", "drift", "parts"}
    assert missing == set(Manifest.model_fields) - optional


@pytest.mark.parametrize("version", [None, *range(1, MANIFEST_VERSION + 1)])
def test_manifests_up_to_this_version_are_read(version: int | None) -> None:
    check_manifest(Path("m.json"), {} if version is None else {"manifest_version": version})


def test_a_manifest_of_a_later_version_is_refused_in_words() -> None:
    later = {"manifest_version": MANIFEST_VERSION + 1, "run_id": ["of", "another", "shape"]}
    with pytest.raises(StorageError, match=r"was written by a later negmine.*install the version"):
        check_manifest(Path("m.json"), later)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ([], "it is"),
        ({"run_id": 3}, "run_id is 3"),
        ({"counts": {"queries": True}}, "counts.queries is True"),
        ({"timings": {"judge": {"seconds": None}}}, "timings.judge.seconds is None"),
        ({"peak_memory_bytes": float("nan")}, "peak_memory_bytes is nan"),
        ({"summary": {"input": {"dead_letter_reasons": {"x": "y"}}}}, "dead_letter_reasons.x"),
        ({"remarks": [{"serious": 1}]}, "remarks.0.serious is 1"),
        ({"manifest_version": "2"}, "manifest_version is '2'"),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_is_named(value: object, key: str) -> None:
    with pytest.raises(StorageError, match="was not written by negmine") as caught:
        check_manifest(Path("m.json"), value)
    assert key in str(caught.value)


def test_unknown_keys_are_no_fault() -> None:
    check_manifest(Path("m.json"), {"notes": [1, None], "summary": {"more": {"x": 1}}})

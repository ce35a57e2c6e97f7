"""Classes of Hugging Face data sets: a column holds numbers, and the schema says their names."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from negmine.schemas import JsonObject
from negmine.transforms.readers.tables.nested import Step

Names: TypeAlias = tuple[str, ...]
"""The name of each class of a column, by its number."""

Classes: TypeAlias = Names | Mapping[str, "Classes"]
"""Those of a column, or of the keys of its objects; lists on the way are not told apart."""

_KEY = b"huggingface"


def classes_of(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Classes]:
    """The classes of the columns that have some, by the metadata of an Arrow schema."""
    written = (metadata or {}).get(_KEY)
    return {} if written is None else _read(written)


@lru_cache(maxsize=16)
def _read(written: bytes) -> Mapping[str, Classes]:
    try:
        features = json.loads(written)["info"]["features"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    found = _found(features)
    return {} if found is None or isinstance(found, tuple) else found


def _found(feature: object) -> Classes | None:
    if isinstance(feature, list):
        return _found(feature[0]) if feature else None
    if not isinstance(feature, dict):
        return None
    kind = feature.get("_type")
    if kind == "ClassLabel":
        names = feature.get("names")
        return tuple(map(str, names)) if isinstance(names, list) and names else None
    if isinstance(kind, str):
        return _found(feature.get("feature"))
    inside = {name: found for name, one in feature.items() if (found := _found(one)) is not None}
    return inside or None


def metadata_of(classes: Mapping[str, Classes]) -> dict[bytes, bytes] | None:
    """What a schema says of these classes, and of nothing else."""
    if not classes:
        return None
    features = {"info": {"features": _features(classes)}}
    return {_KEY: json.dumps(features, sort_keys=True).encode()}


def _features(classes: Classes) -> JsonObject:
    if isinstance(classes, tuple):
        return {"names": list(classes), "_type": "ClassLabel"}
    return {name: _features(inside) for name, inside in classes.items()}


def named(value: object, classes: Classes) -> Any:
    """A value with names, as bytes, for the numbers of classes; -1 and others without stay."""
    if isinstance(value, list):
        return [named(item, classes) for item in value]
    if isinstance(classes, tuple):
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(classes):
            return classes[value].encode()
        return value
    if not isinstance(value, dict):
        return value
    known = classes.keys()
    return {k: named(v, classes[k]) if k in known else v for k, v in value.items()}


def names_at(
    classes: Mapping[str, Classes], column: str, steps: tuple[Step, ...] = ()
) -> Names | None:
    """The names of the classes at the end of a way; None where there are none."""
    found: Classes | None = classes.get(column)
    for step in steps:
        if isinstance(step, str):
            found = None if found is None or isinstance(found, tuple) else found.get(step)
    return found if isinstance(found, tuple) else None

"""JSON Lines with lists of negatives: FlagEmbedding, Tevatron and msmarco-hard-negatives."""

from collections.abc import Callable, Iterator
from typing import Any

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.files import container, objects
from negmine.transforms.foreign.rows import Negative, Passage, Row, broken, listed, named, text
from negmine.transforms.readers.rows import Rejected, identifier
from negmine.transforms.storage.digests import Digest


def _flagembedding(number: int, record: JsonObject) -> Row:
    positives = listed(record.get("pos"), "pos")
    negatives = listed(record.get("neg"), "neg")
    return Row(
        number,
        text(record.get("query"), "query"),
        tuple(text(value, f"pos {at}") for at, value in enumerate(positives, 1)),
        tuple(Negative("", at, text(v, f"neg {at}")) for at, v in enumerate(negatives, 1)),
    )


def _passage(value: Any, what: str) -> Passage:
    if not isinstance(value, dict):
        raise Rejected("wrong_type", f"{what} is {type(value).__name__}, expected an object")
    return named(value.get("docid"), value.get("text"), value.get("title"), what)


def _tevatron(number: int, record: JsonObject) -> Row:
    positives = listed(record.get("positive_passages"), "positive_passages")
    negatives = listed(record.get("negative_passages"), "negative_passages")
    return Row(
        number,
        named(record.get("query_id"), record.get("query"), None, "query"),
        tuple(_passage(value, f"positive passage {at}") for at, value in enumerate(positives, 1)),
        tuple(
            Negative("", at, _passage(value, f"negative passage {at}"))
            for at, value in enumerate(negatives, 1)
        ),
    )


def _pid(value: Any, what: str) -> Passage:
    return Passage(identifier(value.get("pid") if isinstance(value, dict) else value, what), "")


def _msmarco(number: int, record: JsonObject) -> Row:
    positives = listed(record.get("pos"), "pos")
    systems = record.get("neg")
    if not isinstance(systems, dict):
        raise Rejected(
            "wrong_type", f"neg is {type(systems).__name__}, expected system: [pid, ...]"
        )
    if not any(systems.values()):
        raise Rejected("empty_list", "neg names no document")
    return Row(
        number,
        Passage(identifier(record.get("qid"), "qid"), ""),
        tuple(_pid(value, f"pos {at}") for at, value in enumerate(positives, 1)),
        tuple(
            Negative(system, at, _pid(value, f"neg {system} {at}"))
            for system, values in systems.items()
            for at, value in enumerate(listed(values, f"neg {system}") if values else [], 1)
        ),
    )


_PARSE: dict[str, Callable[[int, JsonObject], Row]] = {
    "flagembedding": _flagembedding,
    "tevatron": _tevatron,
    "msmarco": _msmarco,
}


def rows(path: str, format: str, digest: Digest | None = None) -> Iterator[Row]:
    """The file's lines. Raises DataError naming file and line."""
    if container(path) != "jsonl":
        raise DataError(f"{path}: --format {format} is JSON Lines; name a .jsonl file (.gz, .zst)")
    for number, record, _ in objects(path, format, digest):
        try:
            yield _PARSE[format](number, record)
        except Rejected as why:
            raise broken(path, number, why, format) from None

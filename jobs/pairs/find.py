"""`negmine pairs --with`: pairs of two collections without labels, as a BEIR folder."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from negmine.jobs.inspection.inspection import JUDGE
from negmine.jobs.load_config import config_of
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.pairs.sort_out import place_of, write_folder
from negmine.jobs.resolve_config import Choices, with_choices
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms import storage
from negmine.transforms.data.columns import array_column
from negmine.transforms.exporters.writing.files import json_line
from negmine.transforms.kernels.measures.margins import Confidence, Margins, find_pairs
from negmine.transforms.pairs.confidence import PairConfidence
from negmine.transforms.readers.rows import Rejected, identifier, joined, readable, string
from negmine.transforms.readers.tables.delimited import quoted
from negmine.transforms.readers.tables.lines import line_cap, parsed
from negmine.transforms.readers.tables.lines import lines as lines_of
from negmine.transforms.storage.atomic import write_text


@dataclass(frozen=True)
class Found:
    """Counts: texts of both sides, pairs found, and mutual pairs in each round."""

    folder: str
    left: int
    right: int
    pairs: int
    rounds: tuple[int, ...]
    least: float

    def as_json(self) -> JsonObject:
        """As JSON values."""
        return asdict(self)


class _Unjudged(MiningRun):
    """A run of texts whose judgements mean nothing."""

    def collection_facts(self) -> list[str]:
        """What was read, without the judgements."""
        return [fact for fact in super().collection_facts() if "positive" not in fact]


def config_of_texts(folder: Path, name: str, choices: Choices) -> Config:
    """The config of what `together` writes; `name` says in errors what it is of.

    Raises ConfigError for a wrong key, and for options about the columns of data.
    """
    for option in ("pool", "query", "positive", "split"):
        if getattr(choices, option):
            raise ConfigError(
                f"--{option} is about data with columns or splits; --with takes two files of JSON "
                "lines with _id and text, or of a text a line"
            )
    values: JsonObject = {"input": {"format": "beir", "path": str(folder)}}
    values["judge"] = {"kind": JUDGE}
    return config_of(with_choices(values, choices), name, choices.settings, choices.output)


def together(left: str | Path, right: str | Path, folder: Path, most: int) -> tuple[int, int]:
    """Write two files of texts as one BEIR folder, the left ones as its queries.

    JSON lines have `_id` (or `id`) and `text`; of any other file a line is a text, its number the
    identifier, and blank ones are passed over. No text is over `most` bytes. The judgements name
    the first document for every query and mean nothing: a collection needs some. Raises DataError,
    naming file and line. Returns how many texts each file has.
    """
    queries, documents = _texts(left, most), _texts(right, most)
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("queries", queries), ("corpus", documents)):
        made = [{"_id": identity, "text": text} for identity, text in rows]
        write_text(folder / f"{name}.jsonl", "".join(map(json_line, made)))
    first = documents[0][0]
    judged = "".join(f"{quoted(identity)}\t{quoted(first)}\t1\n" for identity, _ in queries)
    write_text(folder / "qrels" / "train.tsv", f"query-id\tcorpus-id\tscore\n{judged}")
    return len(queries), len(documents)


def _texts(path: str | Path, most: int) -> list[tuple[str, str]]:
    """Identifiers and texts of a file; a line that is there again counts once."""
    file = storage.local_path(path)
    if not storage.is_file(file):
        raise DataError(f"{path} is not a file; --with looks for pairs of two files of texts")
    found: dict[str, str] = {}
    plain = not file.name.removesuffix(".gz").removesuffix(".zst").endswith((".jsonl", ".json"))
    for number, data, size in lines_of(str(file), line_cap(most)):
        try:
            if plain:
                identity, value = str(number), string(data, "text").strip()
                if not value:
                    continue
            else:
                record = parsed(data, size)
                identity = identifier(record.get("_id", record.get("id")), "_id")
                value = string(record.get("text"), "text")
            text = joined(value, None, most)
        except Rejected as why:
            raise DataError(f"{path}, line {number}: {why.reason}") from why
        if found.setdefault(identity, text) != text:
            raise DataError(
                f"{path}, line {number}: {readable(identity)!r} was the _id of another text before"
            )
    if not found:
        raise DataError(f"{path} holds no texts")
    return list(found.items())


def find(config: Config, folder: str | Path, least: float, force: bool = False) -> Found:
    """Write the pairs of a collection's queries and documents, whatever its judgements say.

    See `transforms.kernels.measures.margins.find_pairs`. Raises what ingesting and embedding raise,
    DataError where no pair is found, ConfigError for a folder that cannot be written, StorageError
    where the disk refuses.
    """
    place = place_of(folder, force)
    mining = _Unjudged(config)
    mining.check()
    mining.run_until("embed")
    left = np.asarray(array_column(mining.query_vectors, "vector")[:])
    right = np.asarray(mining.collection.corpus_vectors)
    found = find_pairs(left, right, least)
    if not len(found.pairs):
        raise DataError(
            f"no two texts are each other's best with a ratio of {least:g}; give a lower --least, "
            "or a student that knows both languages"
        )
    made = Found(str(place), len(left), len(right), len(found.pairs), found.rounds, least)
    margins = Margins.of(left, right)
    confidence = PairConfidence(
        found.pairs[:, 0],
        found.pairs[:, 1],
        np.ones(len(found.pairs), dtype=bool),
        Confidence.of(margins, found.pairs[:, 0], found.pairs[:, 1]),
        np.full(len(found.pairs), np.nan, dtype=np.float32),
    )
    aside = np.zeros(len(found.pairs), dtype=bool)
    write_folder(place, mining.ingested, confidence, aside, made.as_json())
    return made


def told(found: Found) -> str:
    """The counts in words, and the command that mines the pairs."""
    return (
        f"{found.pairs:,} pairs of {found.left:,} and {found.right:,} texts, ratio margin "
        f"{found.least:g} or more; mutual pairs by round: {', '.join(map(str, found.rounds))}\n"
        f"Mine them: negmine mine {found.folder} --split train"
    )

"""For NeMo Automodel: train.json of identifiers, and a corpus folder with the texts."""

import json
from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa

from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.formats.trainers.automodel_inline import rotated
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import LINE, text_field
from negmine.transforms.exporters.writing.folders import json_text

_CORPUS = pa.schema([text_field("id"), text_field("text")])
_CORPUS_FILE = "corpus/train.parquet"
_TRAIN = "train.json"
_OPENING = '{"corpus": [{"path": "corpus"}], "data": [\n'


class Automodel(FolderFormat):
    """An entry a positive, that one first: the trainer takes the first, and negatives in order."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"instruction"})
    ROWS: ClassVar[str] = _TRAIN

    def __init__(self, rows: RunNegatives, part: str) -> None:
        super().__init__(rows, part)
        self.corpus_id = f"negmine-{rows.source.run_id}"
        self.first = True

    def files(self) -> dict[str, pa.Schema]:
        return {_TRAIN: LINE, _CORPUS_FILE: _CORPUS}

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        ids, queries = block.query_ids.to_pylist(), block.texts.to_pylist()
        positives = block.positives["positive_id"].to_pylist()
        negatives = block.negatives["negative_id"].to_pylist()
        text = []
        for query, number, above in rotated(block):
            low, high = block.negative_bounds[query : query + 2]
            entry = {
                "question_id": ids[query] if number == 0 else f"{ids[query]}#{number + 1}",
                "question": queries[query],
                "corpus_id": self.corpus_id,
                "pos_doc": [{"id": positives[at]} for at in above],
                "neg_doc": [{"id": negative} for negative in negatives[low:high]],
            }
            text.append((_OPENING if self.first else ",") + json.dumps(entry, ensure_ascii=False))
            self.first = False
        yield Piece(_TRAIN, pa.table([pa.array(text, pa.large_string())], schema=LINE))
        found = block.documents().table.select(["id", "text"])
        _, fresh = self.numbering.add(found["id"])
        new = found.take(pa.array(fresh)).combine_chunks()
        yield Piece(_CORPUS_FILE, pa.Table.from_arrays(new.columns, schema=_CORPUS))

    def closing(self) -> Iterator[Piece]:
        yield Piece(_TRAIN, pa.table([pa.array(["]}"], pa.large_string())], schema=LINE))

    def texts(self) -> dict[str, str]:
        facts = {"class": "TextQADataset", "corpus_id": self.corpus_id}
        instructions = {
            "query_instruction": self.rows.instruction,
            "passage_instruction": self.rows.source.document_prompt,
        }
        facts |= {name: text for name, text in instructions.items() if text}
        return {"corpus/merlin_metadata.json": json_text(facts)}

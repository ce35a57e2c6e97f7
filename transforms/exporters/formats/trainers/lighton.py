"""The ledger in the layout of LightOn's data: every scored candidate; queries; documents."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa

from negmine.schemas.errors import DataError
from negmine.schemas.verdicts import Verdict
from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.formats.trainers.pylate_kd import DOCUMENTS, FILES, QUERIES
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.ledger import RunLedger
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.card import configs
from negmine.transforms.exporters.writing.columns import list_field, nested, repeated, text_field

_LEDGER = pa.schema(
    [
        text_field("query_id"),
        list_field("document_ids"),
        list_field("scores", pa.float32()),
        list_field("verdicts"),
    ]
)


class LightOn(FolderFormat):
    """A row a query: its positives first, then all that were scored, the best score first.

    Nothing is filtered: `verdicts` says what the policies made of each.
    """

    SCORED: ClassVar[bool] = True
    READER: ClassVar[type[RunNegatives]] = RunLedger
    ROWS: ClassVar[str] = FILES["train"]

    def files(self) -> dict[str, pa.Schema]:
        return dict(zip(FILES.values(), (_LEDGER, QUERIES, DOCUMENTS), strict=True))

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        found = block.documents("positives")
        known = repeated(Verdict.KNOWN_POSITIVE, block.positives.num_rows)
        verdicts = pa.concat_arrays([known, block.negatives["verdict"].combine_chunks()])
        columns = [
            block.query_ids,
            nested(found.table["id"].combine_chunks(), found.bounds),
            nested(found.table["score"].combine_chunks(), found.bounds),
            nested(verdicts.take(pa.array(found.rows)), found.bounds),
        ]
        yield Piece(FILES["train"], pa.Table.from_arrays(columns, schema=_LEDGER))
        self.numbering.add(found.table["id"])
        queries = pa.Table.from_arrays([block.query_ids, block.texts], schema=QUERIES)
        yield Piece(FILES["queries"], queries)

    def closing(self) -> Iterator[Piece]:
        assert isinstance(self.rows, RunLedger)
        written = 0
        for table in self.rows.every_document():
            mine = table.filter(pa.array(self.numbering.has(table["doc_id"])))
            written += mine.num_rows
            named = mine.rename_columns(DOCUMENTS.names).cast(DOCUMENTS)
            yield Piece(FILES["documents"], named)
        if written != len(self.numbering):
            raise DataError(
                f"{len(self.numbering) - written:,} documents of the ledger have no text in the "
                "work directory; its texts are not those the run was mined from: mine again"
            )

    def texts(self) -> dict[str, str]:
        return {"README.md": configs({name: {"train": file} for name, file in FILES.items()})}

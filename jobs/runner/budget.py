"""How the work is cut to keep a run's memory under `runner.memory`; no result depends on it."""

from dataclasses import dataclass
from functools import cached_property

from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.schemas.judges import ModelJudge
from negmine.schemas.sources import SOURCES, Bm25, Dense
from negmine.transforms.data.columns import MOST_MAPPED
from negmine.transforms.data.sql import MEMORY
from negmine.transforms.kernels.threads import machine_memory, processors
from negmine.transforms.sources.given import GivenFiles
from negmine.transforms.sources.search import AUTO_SHARD

PROGRAM = 600 << 20
"""Measured: libraries of a run without a model, loaded, with what allocators keep."""
MODEL = 900 << 20
"""Measured: PyTorch and a batch of texts, the weights apart."""
PAIR = 3_000
"""Measured: bytes of a candidate in a block that is judged, its document's vector apart."""
WIDTH = 1024
"""Numbers in a vector, as long as its width is not known."""

ROUND = 256 << 20
"""Results of a search that wait to be merged."""

_HELPER = PROGRAM + MOST_MAPPED
"""Bytes that a helper holds before its first row, with the pages that stay mapped."""
_RESERVED = 4 * MOST_MAPPED
"""Pages that stay mapped, and those that a look-up brings in before any are given back."""
_LEAST_BLOCK = 16
_LARGEST_BLOCK = 4 << 30
"""Bytes of a block of queries under way, where no limit is set; the defaults take a fifth."""
_LEAST_SHARD = 8192
_POSTING = 8 * 3
"""Weight and number of a posting, and the two copies that are sorted."""
_ROW = 200
"""Bytes of a given candidate with its identifiers, while it is put on positions."""
_PARTIAL = 16 * 3
"""Bytes of a candidate on its way through the merge."""
_DUCKDB = 2_000_000_000
DATABASE = int(MEMORY.removesuffix("MB")) * 1_000_000


@dataclass(frozen=True)
class Budget:
    """Sizes of blocks and shards of a run, and the most that its stages are expected to hold."""

    config: Config

    @property
    def limit(self) -> int | None:
        """`runner.memory` in bytes."""
        return self.config.runner.memory_bytes

    @cached_property
    def program(self) -> int:
        """Bytes that are held before the first row is read: libraries, and a model's where used."""
        model = self.config.student.vectors is None
        model |= any(isinstance(judge, ModelJudge) for judge in self.config.judge.flat())
        return PROGRAM + (MODEL if model else 0)

    def _free(self) -> int | None:
        return None if self.limit is None else self.limit - self.program - _RESERVED

    @property
    def _helping(self) -> int:
        """Bytes that helpers hold before their first row."""
        return (self.workers - 1) * _HELPER

    def _own(self) -> int | None:
        """What is free for each worker."""
        free = self._free()
        return None if free is None else (free - self._helping) // self.workers

    @cached_property
    def given(self) -> tuple[int, int]:
        """Rows of the candidates that were given, and the most of one query; read from the files.

        Raises DataError where they cannot be read.
        """
        settings = self.config.sources.given
        return GivenFiles.of(settings).counts() if settings else (0, 0)

    def _query_bytes(
        self, width: int = WIDTH, documents: int | None = None, given: int | None = None
    ) -> int:
        pairs = self.config.sources.most_candidates(self.given[1] if given is None else given)
        return (min(pairs, documents or pairs) + 8) * (PAIR + 4 * width)

    def queries_in_a_block(self, documents: int) -> int:
        """`block_size`, or as many as fit in memory of a corpus of so many documents."""
        return max(1, min(self.block_size, _LARGEST_BLOCK // self._query_bytes(WIDTH, documents)))

    @cached_property
    def workers(self) -> int:
        """Processes of a local run, this one included: as many as are asked for and fit."""
        asked = self.config.runner.workers
        if self.config.runner.name != "local":
            return 1
        most = processors() if asked == "auto" else asked
        if self.limit is not None:
            free = self.limit - self.program - _RESERVED
            each = self._least_block()
        elif asked == "auto":
            free = machine_memory() // 2 - self.program
            # Files of given candidates are not opened for this.
            each = self.config.runner.block_size * self._query_bytes(given=0)
        else:
            return most
        # This process needs a block of its own, and each other one its libraries besides.
        return max(1, min(most, 1 + int((free - each) // (_HELPER + each))))

    def _least_block(self) -> int:
        least = min(self.config.runner.block_size, _LEAST_BLOCK) * self._query_bytes()
        return max(least, DATABASE // 2)

    @cached_property
    def block_size(self) -> int:
        """Queries in a block. Raises ConfigError where `runner.memory` cannot be kept."""
        asked, free = self.config.runner.block_size, self._free()
        if free is None:
            return asked
        least = self._least_block()
        if free < least:
            need = self.program + _RESERVED + least
            raise ConfigError(
                f"runner.memory is {self.config.runner.memory}, and this run needs "
                f"{need / 2**30:.1f}GiB at least: raise it, or {self._fewer()}"
            )
        return max(1, min(asked, (self._own() or free) // self._query_bytes()))

    def _fewer(self) -> str:
        """How to ask for fewer candidates."""
        bounds = [(source, SOURCES[source].bound) for source in self.config.sources.on()]
        keys = [f"sources.{source}.{key}" for source, key in bounds if key]
        told = [f"lower {' and '.join(keys)}"] if keys else []
        if len(keys) < len(bounds):
            told.append("give fewer candidates of a query")
        return ", or ".join(told)

    def database(self) -> str:
        """Limit of the database that sorts the collection."""
        free = self._free()
        most = _DUCKDB if free is None else min(_DUCKDB, free - self._helping)
        return f"{most // 1_000_000}MB"

    def shard(self, document: float) -> int:
        """Documents in a shard that takes so many bytes of each."""
        free = self._own()
        if free is None:
            return AUTO_SHARD
        return max(_LEAST_SHARD, min(AUTO_SHARD, int(free // max(document, 1))))

    def bm25(self, config: Bm25, documents: int, postings: int) -> Bm25:
        """The settings with the number of shards that fit."""
        size = self.shard(_POSTING * postings / max(documents, 1))
        if config.shards != "auto" or size == AUTO_SHARD:
            return config
        return config.model_copy(update={"shards": -(-documents // size)})

    def dense(self, config: Dense, documents: int, width: int) -> Dense:
        """The same for vectors; approximate results depend on the shards, so they stay."""
        size = self.shard(4 * width)
        if config.shards != "auto" or size == AUTO_SHARD or not config.exact:
            return config
        return config.model_copy(update={"shards": -(-documents // size)})

    def blocks_at_once(self, depth: int, documents: int) -> int | None:
        """Blocks of queries that are searched for in one pipeline; None = all.

        A local runner holds the results of all queries of a pipeline until they are merged.
        """
        if self.config.runner.name != "local":
            return None
        return max(1, ROUND // (_PARTIAL * min(depth, max(documents, 1)) * self.block_size))

    def expected(
        self, documents: int, queries: int, width: int, postings: float, text_bytes: int
    ) -> dict[str, int]:
        """Bytes that stages are expected to hold at most, mapped pages too, by stage or step.

        `width` is of vectors, `postings` are those of all documents, `text_bytes` of their texts.
        """
        sources, base = self.config.sources, self.program + MOST_MAPPED
        touched = min(4 * width * documents, 2 * MOST_MAPPED)
        in_block = min(self.queries_in_a_block(documents), queries)
        block = in_block * self._query_bytes(width, documents)
        written = block // 2 if self.limit is None else 0  # with a limit, after the metrics
        limit = int(self.database().removesuffix("MB")) * 1_000_000
        helping, each = self._helping, self.workers
        found = {
            "ingest": self.program + helping + min(limit, 2 * (text_bytes + 200 * documents)),
            "embed": base + helping + 8192 * 4 * width * 6,
            "bm25_index": base + helping + 400 * min(documents, 500_000),
            "retrieve": base + helping,
            "judge": base + helping + each * block + MOST_MAPPED,
            "select": base + helping + each * (block // 2) + touched,
            "score": base + helping + each * (block // 2) + touched,
            "publish": base
            + helping
            + touched
            + max(each * block + written, min(DATABASE, 400 * queries * 20)),
        }
        if sources.given:
            found["read given"] = base + min(DATABASE, _ROW * self.given[0])
        if sources.bm25:
            shard = self._shard_size(self.bm25(sources.bm25, documents, int(postings)), documents)
            held = _POSTING * postings * shard / max(documents, 1)
            partial = min(ROUND, _PARTIAL * queries * min(sources.bm25.depth, documents))
            found["retrieve bm25"] = round(base + helping + each * held + partial)
        if sources.dense:
            shard = self._shard_size(self.dense(sources.dense, documents, width), documents)
            partial = min(ROUND, _PARTIAL * queries * min(sources.dense.depth, documents))
            found["retrieve dense"] = base + helping + 4 * width * shard + partial
        return found

    @staticmethod
    def _shard_size(config: Bm25 | Dense, documents: int) -> int:
        if config.shards == "auto":
            return min(documents, AUTO_SHARD)
        return -(-documents // config.shards)

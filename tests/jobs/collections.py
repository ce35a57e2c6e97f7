"""Tiny collections and models of whole runs, and the command line run in this process."""

import contextlib
import errno
import hashlib
import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.transforms.input_files import write_beir

WORDS = tuple(
    f"{a}{b}" for a in ("sol", "ter", "aqu", "ven", "lun") for b in ("a", "en", "ix", "or")
)
DIMENSION = 8
THREE_TIERS = {
    "hard": {"quota": 3, "min_ratio": 0.8},
    "semi_hard": {"quota": 3, "min_ratio": 0.5, "max_ratio": 0.8},
    "random": {"quota": 2, "source": "random"},
}
"""What tests of tiers mine: each of them has a quota."""
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


_PROGRESS = re.compile(
    r"(collection|reused from earlier runs|engine): .*|job \S+(, http\S+)?|"
    r"[a-z][a-z0-9_ ,]*: ([0-9,]+ rows, )?([0-9]+ h )?([0-9]+ min( [0-9]+ s)?|[0-9.]+ s)"
)


def without_progress(err: str) -> str:
    """Standard error without the lines that every run has: its stages, and what was read."""
    lines = err.splitlines(keepends=True)
    return "".join(line for line in lines if not _PROGRESS.fullmatch(line.rstrip("\n")))


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote; `err` without progress."""

    code: int
    out: str
    err: str
    progress: str = ""


def negmine(*arguments: str) -> Ended:
    """Run the command line in this process, as the installed command does."""
    from negmine.jobs.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    code = 0
    log = logging.StreamHandler(err)
    logging.getLogger().addHandler(log)
    with (
        mock.patch.object(sys, "argv", ["negmine", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            code = 1
            traceback.print_exc()
        finally:
            logging.getLogger().removeHandler(log)
    said = err.getvalue()
    return Ended(code, out.getvalue(), without_progress(said), said)


def document(at: int) -> str:
    """Text of document number `at`: five of the words, another five for every number."""
    return " ".join(WORDS[(at * step + step) % len(WORDS)] for step in (1, 2, 3, 7, 11)) + f" {at}"


def write_collection(folder: Path, documents: int = 60, queries: int = 12) -> Path:
    """A BEIR folder: query i asks in two words for document i."""
    return write_beir(
        folder,
        [{"_id": f"d{i:04}", "text": document(i)} for i in range(documents)],
        [{"_id": f"q{i:04}", "text": " ".join(document(i).split()[:2])} for i in range(queries)],
        [(f"q{i:04}", f"d{i:04}", 1) for i in range(queries)],
    )


def write_config(path: Path, **sections: object) -> str:
    """A run's YAML of these sections; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(sections))
    return str(path)


def small_run(base: Path, **sections: object) -> str:
    """The config of a run that takes seconds: a collection and a student, both in `base`, no judge.

    `sections` are put in or replace those of the same name.
    """
    values: dict[str, object] = {
        "input": {"format": "beir", "path": str(write_collection(base / "collection"))},
        "student": {"model": str(static_student(base / "student")), "device": "cpu"},
        "judge": {"kind": "none"},
        "output": {"path": str(base / "out")},
    }
    return write_config(base / "run.yaml", **{**values, **sections})


def _vocabulary() -> dict[str, int]:
    return {word: at for at, word in enumerate((*_SPECIAL, *WORDS, *map(str, range(60))))}


def static_student(
    folder: Path,
    *,
    broken: bool = False,
    knows_all: bool = True,
    scale: float = 1.0,
    trained: int | None = None,
) -> Path:
    """A sentence-transformers StaticEmbedding over the words; `broken` fills it with NaN.

    One that does not know all has a zero vector for a text without a word that it knows. `scale`
    multiplies all vectors. One that is `trained` is the same, moved a step drawn by that seed.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    vocabulary = _vocabulary()
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = torch.randn((len(vocabulary), DIMENSION), generator=torch.Generator().manual_seed(7))
    if trained is not None:
        table += 0.6 * torch.randn(table.shape, generator=torch.Generator().manual_seed(trained))
    table = torch.full_like(table, float("nan")) if broken else table
    table = table * scale
    if not knows_all:
        table[: len(_SPECIAL)] = 0
    module = StaticEmbedding(tokenizer, embedding_weights=table)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder


def cross_encoder(folder: Path, *, labels: int = 1, broken: bool = False) -> Path:
    """A BertForSequenceClassification of random weights; `broken` fills its head with NaN."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir(parents=True)
    vocabulary = _vocabulary()
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    torch.manual_seed(7)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
            num_labels=labels,
            initializer_range=1.0,
        )
    )
    if broken:
        torch.nn.init.constant_(model.classifier.weight, float("nan"))
    model.save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder


def token_student(folder: Path, seed: int) -> Path:
    """A transformer of random weights that gives token vectors, with mean pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    inner = folder.with_name(f"{folder.name}-bert")
    inner.mkdir(parents=True)
    vocabulary = _vocabulary()
    (inner / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "max_position_embeddings": 64}
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2, "initializer_range": 1.0}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes, **layers)).save_pretrained(inner)
    BertTokenizerFast(str(inner / "vocab.txt"), model_max_length=64).save_pretrained(inner)
    modules = [Transformer(str(inner)), Pooling(16)]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder


def published(output: Path) -> dict[str, str]:
    """What a reader of an output folder sees: every path below runs/, and `current`."""
    seen = {str(path.relative_to(output)): "" for path in (output / "runs").rglob("*")}
    current = output / "current"
    return seen | ({"current": current.read_text()} if current.is_file() else {})


def leftovers(output: Path) -> list[str]:
    """Temporary files and folders anywhere below an output folder."""
    ends = (".tmp", ".probe", ".building")
    return sorted(str(path) for path in output.rglob("*") if path.name.endswith(ends))


def digest(run: Path, name: str = "negatives") -> dict[str, str]:
    """SHA-256 of every file of a published data set, by its path."""
    return {
        str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted((run / name).rglob("*.parquet"))
    }


@contextlib.contextmanager
def full_disk(where: str) -> Iterator[None]:
    """Let every fsync of a file whose path contains `where` fail as on a full disk."""
    real = os.fsync

    def fsync(file: int) -> None:
        if where in os.readlink(f"/proc/self/fd/{file}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    with mock.patch.object(os, "fsync", fsync):
        yield


def fill(folder: Path, leave: int) -> Path:
    """Fill a disk but for some bytes."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast.write_bytes(bytes(max(0, free - leave)))
    return ballast

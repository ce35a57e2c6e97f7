"""What a GPU is kept busy with: the embed stage and the judge beside the forward pass alone.

    python benchmarks/gpu.py --out bench-gpu [--collection data/scifact] [--scale 1]

Installs nothing, takes under five minutes on one card, and prints a table of Markdown with the card
and versions below; every figure is in OUT/gpu.json as well. Needs CUDA.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import _gpu_data as data  # noqa: E402
from benchmarks._gpu_table import machine, table  # noqa: E402

_BATCHES = (64, 256, 1024)
_FORWARD_SECONDS = 1.0
_EMBED = {"fp32": 32_768, "auto": 98_304}
_PEER = {"fp32": 6144, "bf16": 6144}
_PAIRS = 32_768


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write OUT/gpu.json and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder for data and figures")
    parser.add_argument("--collection", type=Path, help="a BEIR folder to mine from nothing")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the texts, for a try")
    parser.add_argument("--only", default="encoder,judge,search,mine", help="parts, by comma")
    parser.add_argument("--device", default="cuda", help="another than cuda only tries the script")
    asked = parser.parse_args(arguments)
    import torch

    if asked.device == "cuda" and not torch.cuda.is_available():
        sys.exit("benchmarks/gpu.py: no CUDA device here")
    bench = Bench(asked.out, asked.scale, asked.device)
    bench.run(asked.only.split(","), asked.collection)
    print(table(bench.figures))


class Bench:
    """The measurements, in the order in which they are printed."""

    def __init__(self, out: Path, scale: float, device: str) -> None:
        self.out, self.scale, self.device = out, scale, device
        self.folder = data.model()
        self.words = data.words(self.folder)
        self.figures: dict[str, Any] = {}
        shutil.rmtree(out / "parts", ignore_errors=True)
        out.mkdir(parents=True, exist_ok=True)

    def run(self, only: Sequence[str], collection: Path | None) -> None:
        """Measure what is asked for; what is there is written after each part."""
        parts: dict[str, Callable[[], None]] = {
            "encoder": self.encoder,
            "judge": self.judge,
            "search": self.search,
        }
        if collection is not None:
            parts["mine"] = lambda: self.mine(collection)
        for name, part in parts.items():
            if name in only:
                part()
                self.save()

    def save(self) -> None:
        """Write the figures so far."""
        text = json.dumps({**machine(), **self.figures}, indent=1)
        (self.out / "gpu.json").write_text(text)

    def note(self, name: str, value: float | str | bool) -> None:
        """Keep a figure, and show it at once."""
        self.figures[name] = round(value, 6) if isinstance(value, float) else value
        print(f"{name}: {self.figures[name]}", file=sys.stderr, flush=True)

    def encoder(self) -> None:
        """Texts a second: the forward pass alone, the embed stage, sentence-transformers."""
        rows = {kind: max(64, round(n * self.scale)) for kind, n in _EMBED.items()}
        texts = data.texts(self.words, max(rows.values()), data.TOKENS, seed=0)
        for kind, precision in (("fp32", "fp32"), ("auto", "bf16")):
            self.note(f"forward {kind}", self._forward_rate(precision))
            documents = data.as_documents(texts[: rows[kind]], self.out / "parts" / kind)
            self.note(f"embed {kind}", self._embed(documents, precision, 8192, f"{kind}-a"))
            peer = max(64, round(_PEER[precision] * self.scale))
            self.note(f"encode {kind}", self._peer_rate(texts[:peer], precision))
        self._same_bits(texts[: max(64, round(6000 * self.scale))])

    def _forward_rate(self, precision: str) -> float:
        import torch
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(self.folder, device=self.device)
        model.to(torch.bfloat16 if precision == "bf16" else torch.float32).eval()
        return self._best(lambda batch: model(batch), model.device, tokens=data.TOKENS)

    def _best(self, forward: Callable[[dict[str, Any]], object], device: Any, tokens: int) -> float:
        """Rows a second at the best of the batch sizes, ids on the device before."""
        import torch

        rates = []
        for rows in _BATCHES if self.scale >= 1 else (8,):
            ids = torch.randint(2000, 20_000, (rows, tokens), device=device)
            batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            batch["token_type_ids"] = torch.zeros_like(ids)
            with torch.inference_mode():
                for _ in range(3):
                    forward(dict(batch))
                self._wait()
                started, done = time.perf_counter(), 0
                while time.perf_counter() - started < _FORWARD_SECONDS * min(1, self.scale * 4):
                    for _ in range(4):
                        forward(dict(batch))
                    self._wait()
                    done += 4 * rows
            rates.append(done / (time.perf_counter() - started))
        return max(rates)

    def _wait(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()

    def _spec(self, precision: str) -> Any:
        from negmine.transforms.models.specs import EncoderSpec

        return EncoderSpec(self.folder, precision=precision, device=self.device)

    def _embed(self, documents: Any, precision: str, block_size: int, name: str) -> float:
        """Texts a second of the embed stage, Parquet to Parquet, its shapes made before."""
        from negmine.jobs.runner.pipeline import run_pipeline
        from negmine.pipelines.stage import BlockStage
        from negmine.schemas import tables
        from negmine.transforms.data.blocks import plan_blocks
        from negmine.transforms.models.encoder import load_encoder
        from negmine.transforms.vectors.embed import EmbedTexts

        spec = self._spec(precision)
        encoder = load_encoder(spec)
        started = time.perf_counter()
        encoder.encode(
            data.texts(self.words, 600, data.TOKENS, seed=9)[:: max(1, round(1 / self.scale))],
            "document",
        )
        self.note(f"first {name}, s", time.perf_counter() - started)
        blocks = tuple(plan_blocks(documents.rows, block_size))
        target = str(self.out / "parts" / f"vectors-{name}")
        embed = EmbedTexts(documents, "document", spec)
        stage = BlockStage("E", embed, target, blocks, tables.vectors(encoder.dimension), "none")
        started = time.perf_counter()
        run_pipeline([[("embed", stage)]])
        return documents.rows / (time.perf_counter() - started)

    def _peer_rate(self, texts: list[str], precision: str) -> float:
        import torch
        from sentence_transformers import SentenceTransformer

        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        model = SentenceTransformer(self.folder, device=self.device, model_kwargs={"dtype": dtype})
        rates = []
        for rows in (128, 512, 2048) if self.scale >= 1 else (8,):
            model.encode(texts[:rows], batch_size=rows)
            started = time.perf_counter()
            model.encode(texts, batch_size=rows)
            rates.append(len(texts) / (time.perf_counter() - started))
        return max(rates)

    def _same_bits(self, texts: list[str]) -> None:
        """Whether a text's vector depends on the block, the order and the number of replicas."""
        from negmine.transforms.models.encoder import load_encoder

        mixed = [t[: 40 + 37 * i % 1500] for i, t in enumerate(texts)]
        order = np.random.default_rng(0).permutation(len(mixed))
        for precision in ("fp32", "bf16"):
            encoder = load_encoder(self._spec(precision))
            whole = encoder.encode(mixed, "document").vectors
            parts = [
                encoder.encode([mixed[i] for i in piece], "document").vectors
                for piece in np.array_split(order, 5)
            ]
            self.note(
                f"rows that differ in other blocks, {precision}",
                int((np.concatenate(parts) != whole[order]).any(axis=1).sum()),
            )
            if precision == "fp32":
                exact = whole
        cosines = (exact * whole).sum(axis=1)
        self.note("lowest cosine of bf16 with fp32", float(cosines.min()))

    def judge(self) -> None:
        """Pairs a second: the forward pass alone, our judge, `CrossEncoder.predict`."""
        folder = data.judge(self.out / "judge", self.words)
        pairs = data.pairs(self.words, max(64, round(_PAIRS * self.scale)), data.TOKENS)
        exact = self._judged(folder, pairs, "fp32")
        rough = self._judged(folder, pairs, "bf16")
        self.note("mean difference of a score in bf16", float(np.abs(exact - rough).mean()))

    def _judged(self, folder: str, pairs: list[tuple[str, str]], precision: str) -> np.ndarray:
        import torch
        from sentence_transformers import CrossEncoder

        from negmine.transforms.models.cross_encoder import CrossEncoderJudge
        from negmine.transforms.models.specs import CrossEncoderSpec

        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        model = CrossEncoder(folder, device=self.device, model_kwargs={"dtype": dtype})
        model.eval()
        alone = self._best(lambda batch: model(batch), model.device, data.TOKENS)
        self.note(f"forward judge {precision}", alone)
        judge = CrossEncoderJudge(CrossEncoderSpec(folder, device=self.device, precision=precision))
        judge.score(pairs[:: max(1, len(pairs) // 600)])
        started = time.perf_counter()
        scores = judge.score(pairs)
        self.note(f"judge {precision}", len(pairs) / (time.perf_counter() - started))
        peer, rates = pairs[: max(64, round(6144 * self.scale))], []
        for rows in (128, 512, 2048) if self.scale >= 1 else (8,):
            model.predict(peer[:rows], batch_size=rows)
            started = time.perf_counter()
            model.predict(peer, batch_size=rows)
            rates.append(len(peer) / (time.perf_counter() - started))
        self.note(f"predict {precision}", max(rates))
        some = np.random.default_rng(0).permutation(len(pairs))[: len(pairs) // 3]
        again = judge.score([pairs[i] for i in some])
        differ = int((again != scores[some]).sum())
        self.note(f"pairs that differ in other company, {precision}", differ)
        return scores

    def search(self) -> None:
        """Seconds of an exact search on the device beside FAISS on the processors, same result."""
        from negmine.transforms.kernels.search import dense
        from negmine.transforms.models.gpu.nearest import nearest_here

        rows = round(500_000 * self.scale)
        drawn = np.random.default_rng(0).standard_normal((rows + 2000, 384), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        documents, queries = drawn[:rows], drawn[rows:]
        documents.flags.writeable = False
        found = {}
        for name, nearest in (
            ("device", nearest_here),
            ("processors", dense.nearest_by_faiss),
        ):
            dense.exact_top_k(queries, documents[:4096], 100, nearest=nearest)
            started = time.perf_counter()
            found[name] = dense.exact_top_k(queries, documents, 100, nearest=nearest)
            self.note(f"search by {name}, s", time.perf_counter() - started)
        same = np.array_equal(found["device"].ids, found["processors"].ids)
        self.note("search finds the same", bool(same))

    def mine(self, collection: Path) -> None:
        """A run from nothing: seconds in all and by stage."""
        output = self.out / "mined"
        shutil.rmtree(output, ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "negmine",
            "mine",
            str(collection),
            "--output",
            str(output),
        ]
        command += ["--set", "judge={kind: fusion}"]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.note("mined from nothing, s", time.perf_counter() - started)
        if done.returncode:
            self.note("mine failed", done.stderr[-800:] + done.stdout[-400:])
            return
        (manifest,) = output.glob("runs/*/manifest.json")
        stages = json.loads(manifest.read_text())["timings"]
        self.figures["stages"] = stages
        print(json.dumps(stages), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

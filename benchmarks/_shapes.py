"""One small collection in the many shapes that people have, and what has to be found in it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather

from benchmarks._shape_files import Maker, Pair, Shape, one_line


def shapes(folder: Path, pairs: Sequence[Pair], datasets: bool = True) -> list[Shape]:
    """Write every shape of a collection below a folder; `datasets` those that need the library."""
    made = Maker(folder, pairs)
    parts: list[Callable[[Maker], None]] = [
        _delimited, _json, _columnar, _trainers, _labelled, _collections, _documents, _unclear,
    ]  # fmt: skip
    for part in [*parts, *([_saved] if datasets else [])]:
        part(made)
    return made.found


def _delimited(made: Maker) -> None:
    rows = made.rows()
    index = [(at, *row) for at, row in enumerate(rows)]
    flat = [(one_line(query), one_line(text)) for query, text in rows]
    western = [(f"{query} – à propos", f"{text} «é»") for query, text in flat]
    made.add("CSV, header query,positive", made.csv("a.csv", [("query", "positive"), *rows]))
    made.add(
        "CSV of pandas with its index", made.csv("b.csv", [("", "question", "answer"), *index])
    )
    made.add(
        "CSV with ; and a byte-order mark, unknown names",
        made.csv("c.csv", [("Frage", "Antwort"), *rows], ";", "utf-8-sig"),
    )
    made.add(
        "CSV of Windows, cp1252", made.csv("d.csv", [("query", "passage"), *western], ";", "cp1252")
    )
    made.add(
        "TSV, UTF-16, of a spreadsheet",
        made.csv("e.txt", [("question", "answer"), *western], "\t", "utf-16"),
    )
    made.add("TSV without a header", made.csv("f.tsv", flat, "\t"))
    triples = [
        (pair.query, text, made.negatives(at, 1)[0])
        for at, pair in enumerate(made.pairs)
        for text in pair.positives
    ]
    made.add("triples, CSV", made.csv("g.csv", [("anchor", "positive", "negative"), *triples]))


def _json(made: Maker) -> None:
    rows = [{"query": query, "positive": text} for query, text in made.rows()]
    made.add("JSON lines, gzip", made.jsonl("h.jsonl.gz", rows))
    made.add("JSON lines, zstd", made.jsonl("i.jsonl.zst", rows))
    path = made.path("j.json")
    path.write_text(json.dumps(rows, indent=1))
    made.add("JSON array", path)
    nested = [
        {
            "id": at,
            "question": {"text": pair.query, "lang": "en"},
            "passages": [{"id": made.ids[text], "body_text": text} for text in pair.positives],
        }
        for at, pair in enumerate(made.pairs)
    ]
    made.add("nested JSON lines", made.jsonl("k.jsonl", nested))
    squad = [
        {
            "id": str(at),
            "title": "functions",
            "question": query,
            "context": text,
            "answers": {"text": [text[:9]], "answer_start": [0]},
        }
        for at, (query, text) in enumerate(made.rows())
    ]
    made.add("SQuAD's rows", made.jsonl("l.jsonl", squad))


def _columnar(made: Maker) -> None:
    queries = [pair.query for pair in made.pairs]
    lists = [list(pair.positives) for pair in made.pairs]
    wide = [[*texts, None][:2] for texts in lists]
    made.add("Parquet, lists", made.parquet("m.parquet", {"query": queries, "positives": lists}))
    columns = {
        "query": queries,
        "positive_1": [w[0] for w in wide],
        "positive_2": pa.array([w[1] for w in wide], pa.string()),
    }
    made.add("Parquet, positive_1 and positive_2", made.parquet("n.parquet", columns))
    path = made.path("o.feather")
    query, text = zip(*made.rows(), strict=True)
    feather.write_feather(pa.table({"question": query, "answer": text}), path)
    made.add("Feather", path)
    split = made.folder / "p" / "data"
    half = len(made.rows()) // 2
    for at, (start, stop) in enumerate(((0, half), (half, None))):
        columns = {"question": query[start:stop], "answer": text[start:stop]}
        made.parquet(f"p/data/train-{at:05}-of-00002.parquet", columns)
    made.parquet("p/data/test-00000-of-00001.parquet", {"question": ["who"], "answer": ["me"]})
    made.add("a clone of a data set: data/train-*.parquet", split.parent)


def _trainers(made: Maker) -> None:
    negatives = [made.negatives(at, 2) for at in range(len(made.pairs))]
    flag = [
        {
            "query": p.query,
            "pos": list(p.positives),
            "neg": n,
            "pos_scores": [1.0],
            "type": "normal",
        }
        for p, n in zip(made.pairs, negatives, strict=True)
    ]
    made.add("FlagEmbedding", made.jsonl("q.jsonl", flag))

    def passages(texts: Sequence[str]) -> list[dict[str, str]]:
        return [{"docid": made.ids[t], "title": "", "text": t} for t in texts]

    tevatron = [
        {
            "query_id": str(at),
            "query": pair.query,
            "positive_passages": passages(pair.positives),
            "negative_passages": passages(negatives[at]),
        }
        for at, pair in enumerate(made.pairs)
    ]
    made.add("Tevatron", made.jsonl("r.jsonl", tevatron))
    swift = [
        {
            "messages": [
                {"role": "system", "content": "Find the function."},
                {"role": "user", "content": pair.query},
            ],
            "positive_messages": [[{"role": "user", "content": t}] for t in pair.positives],
            "negative_messages": [[{"role": "user", "content": t}] for t in negatives[at]],
        }
        for at, pair in enumerate(made.pairs)
    ]
    made.add("ms-swift's messages", made.jsonl("s.jsonl", swift))
    made.add(
        "ms-swift's messages, Parquet",
        made.parquet("s.parquet", {key: [row[key] for row in swift] for key in swift[0]}),
    )
    dpr = [
        {
            "dataset": "functions",
            "question": pair.query,
            "answers": ["x"],
            "positive_ctxs": [{"title": "", "text": t, "score": 1} for t in pair.positives],
            "negative_ctxs": [],
            "hard_negative_ctxs": [{"title": "", "text": t} for t in negatives[at]],
        }
        for at, pair in enumerate(made.pairs)
    ]
    path = made.path("t.json")
    path.write_text(json.dumps(dpr, indent=4))
    made.add("DPR's JSON array", path)
    rows = [(at, pair.query, t) for at, pair in enumerate(made.pairs) for t in pair.positives]
    columns = {
        "anchor": [query for _, query, _ in rows],
        "positive": [text for *_, text in rows],
        "negative_1": [negatives[at][0] for at, *_ in rows],
        "negative_2": [negatives[at][1] for at, *_ in rows],
    }
    made.add("n-tuples of sentence-transformers", made.parquet("u.parquet", columns))


def _labelled(made: Maker) -> None:
    rows: list[tuple[object, ...]] = []
    graded: list[tuple[object, ...]] = []
    listed = []
    for at, pair in enumerate(made.pairs):
        other = made.negatives(at, 2)
        rows += [(pair.query, text, 1) for text in pair.positives]
        rows += [(pair.query, text, 0) for text in other]
        graded += [(pair.query, text, 3.8 + at % 2) for text in pair.positives]
        graded += [(pair.query, text, at % 3 / 2) for text in other]
        labels = [1] * len(pair.positives) + [0] * len(other)
        listed.append(
            {"anchor": pair.query, "positive": [*pair.positives, *other], "labels": labels}
        )
    head = ("sentence1", "sentence2", "label")
    made.add("labelled pairs, 0 and 1", made.csv("v.csv", [head, *rows]))
    scored = ("sentence1", "sentence2", "score")
    path = made.csv("w.tsv.csv", [scored, *graded])
    made.add("labelled pairs, 0 to 5", path, says="does not say which rows are positives")
    above = ("--set", "input.label_above=2.5")
    made.add("labelled pairs, 0 to 5, told the limit", path, *above)
    made.add("labelled lists", made.jsonl("x.jsonl", listed))
    marco = [
        {
            "query_id": at,
            "query": row["anchor"],
            "answers": ["x"],
            "passages": {"is_selected": row["labels"], "passage_text": row["positive"]},
        }
        for at, row in enumerate(listed)
    ]
    columns = {key: [row[key] for row in marco] for key in marco[0]}
    made.add("MS MARCO's rows of the hub", made.parquet("y.parquet", columns))


def _collections(made: Maker) -> None:
    documents = [{"_id": made.ids[t], "title": "", "text": t} for t in made.documents]
    queries = [{"_id": f"q{at}", "text": pair.query} for at, pair in enumerate(made.pairs)]
    qrels = [
        (f"q{at}", made.ids[text], 1)
        for at, pair in enumerate(made.pairs)
        for text in pair.positives
    ]
    made.jsonl("beir/corpus.jsonl.gz", documents)
    made.jsonl("beir/queries.jsonl.gz", queries)
    made.csv("beir/qrels/train.tsv", [("query-id", "corpus-id", "score"), *qrels], "\t")
    made.add("BEIR folder, gzip", made.folder / "beir")
    for name, rows in (("corpus", documents), ("queries", queries)):
        columns = {key: [row[key] for row in rows] for key in rows[0]}
        made.parquet(f"hub/{name}/{name}-00000-of-00001.parquet", columns)
    columns = dict(zip(("query-id", "corpus-id", "score"), zip(*qrels, strict=True), strict=True))
    made.parquet(
        "hub/default/train-00000-of-00001.parquet", {k: list(v) for k, v in columns.items()}
    )
    made.add("BEIR in the hub's layout", made.folder / "hub")
    flat = [(row["_id"], one_line(row["text"])) for row in documents]
    asked = [(row["_id"], one_line(row["text"])) for row in queries]
    made.csv("marco/collection.tsv", [("pid", "passage"), *flat], "\t")
    made.csv("marco/queries.tsv", [("qid", "query"), *asked], "\t")
    made.csv("marco/qrels.tsv", [("qid", "pid", "rel"), *qrels], "\t")
    made.add("MS MARCO's TSV with headers", made.folder / "marco")
    made.csv("marco2/collection.tsv", flat, "\t")
    made.csv("marco2/queries.train.tsv", asked, "\t")
    made.csv("marco2/queries.dev.tsv", [("x1", "who is it then")], "\t")
    trec = [(query, 0, text, grade) for query, text, grade in qrels]
    made.csv("marco2/qrels.train.tsv", trec, "\t")
    made.csv("marco2/qrels.dev.tsv", [("x1", 0, made.ids[made.documents[0]], 1)], "\t")
    made.add("MS MARCO's TSV, splits, no header", made.folder / "marco2")
    half = made.documents[: len(made.documents) // 2]
    made.jsonl("pool/pairs.jsonl", [{"query": q, "positive": t} for q, t in made.rows()])
    made.jsonl("pool/corpus.jsonl", [{"id": made.ids[t], "text": t} for t in half])
    made.add("pairs and a pool in a folder", made.folder / "pool")


def _documents(made: Maker) -> None:
    titled = [{"title": p.query, "text": p.positives[0]} for p in made.pairs]
    count = len(titled)
    made.expect("documents alone, with titles", made.jsonl("z.jsonl", titled), count, count)
    lines = [one_line(f"{p.query.rstrip('.')}. {p.positives[0]}") for p in made.pairs]
    path = made.path("lines.txt")
    path.write_text("".join(f"{line}\n" for line in lines))
    made.expect("documents alone, a line each", path, count, count)
    alone = made.csv("texts.csv", [("text",), *((line,) for line in lines)])
    made.expect("documents alone, CSV", alone, count, count)


def _unclear(made: Maker) -> None:
    rows = [(query, text, text[::-1]) for query, text in made.rows()]
    unknown = made.csv("unknown.csv", [("alpha", "beta", "gamma"), *rows])
    made.add("three unknown columns", unknown, says="its columns are 'alpha', 'beta', 'gamma'")
    made.add("three unknown columns, named", unknown, "--query", "alpha", "--positive", "beta")
    lists = [
        {
            "query": p.query,
            "documents": [*p.positives, *made.negatives(at, 2)],
            "scores": [3.5, 1.25, -2.5, 0.5][: len(p.positives) + 2],
        }
        for at, p in enumerate(made.pairs)
    ]
    path = made.jsonl("lists.jsonl", lists)
    made.add("a teacher's lists, as negmine exports them", path, says="is a teacher's score")


def _saved(made: Maker) -> None:
    from datasets import Dataset, DatasetDict

    rows = [{"anchor": query, "positive": text} for query, text in made.rows()]
    pairs = Dataset.from_list(rows)
    pairs.save_to_disk(str(made.folder / "saved"))
    made.add("saved Hugging Face data set", made.folder / "saved")
    test = Dataset.from_list([{"anchor": "who is it then", "positive": "nobody at all"}])
    DatasetDict(train=pairs, test=test).save_to_disk(str(made.folder / "dictionary"))
    made.add("saved dictionary of splits", made.folder / "dictionary")
    documents = [{"_id": made.ids[t], "title": "", "text": t} for t in made.documents]
    queries = [{"_id": f"q{at}", "text": pair.query} for at, pair in enumerate(made.pairs)]
    qrels = [
        {"query-id": f"q{at}", "corpus-id": made.ids[text], "score": 1}
        for at, pair in enumerate(made.pairs)
        for text in pair.positives
    ]
    Dataset.from_list(documents).save_to_disk(str(made.folder / "three" / "corpus"))
    Dataset.from_list(queries).save_to_disk(str(made.folder / "three" / "queries"))
    split = DatasetDict(train=Dataset.from_list(qrels))
    split.save_to_disk(str(made.folder / "three" / "qrels"))
    made.add("saved corpus, queries and qrels", made.folder / "three")

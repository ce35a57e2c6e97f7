"""Edits of real positives, checked by rules of their own, and some of them printed to be read.

    python benchmarks/edited.py check DATA       # 200 of each operation, the shares that pass
    python benchmarks/edited.py read DATA        # 50, drawn by key, as a table to read

DATA holds `scifact`, `cranfield` and `xquad-r` as BEIR folders. Pairs are their queries with their
positives, of SciFact and Cranfield the titles with their texts too, and the documented functions of
this Python's standard library.
"""

import argparse
import ast
import json
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from negmine.transforms.kernels.editing.edit import Asked, Edit
from negmine.transforms.kernels.editing.entities import Entities
from negmine.transforms.kernels.editing.operations import CODE, TEXT, negatives_of
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.readers.stdlib import library_functions

ALL = (*TEXT, "entity", *CODE)
WANTED, READ = 200, 50


@dataclass(frozen=True)
class Made:
    """An edit, what it was made for, and the entities it could draw from."""

    asked: Asked
    edit: Edit
    collection: str
    entities: Entities


def pairs_of(data: Path) -> Iterator[tuple[str, dict[str, str], list[tuple[str, str, list[str]]]]]:
    """Of each collection its name, documents, and (query id, query, positives)."""
    for name in ("scifact", "cranfield", "xquad-r"):
        folder = data / name
        documents = {r["_id"]: r for r in _lines(folder / "corpus.jsonl")}
        texts = {k: f"{r.get('title') or ''} {r['text']}".strip() for k, r in documents.items()}
        queries = {r["_id"]: r["text"] for r in _lines(folder / "queries.jsonl")}
        known: dict[str, list[str]] = {}
        for split in ("train", "test"):
            file = folder / "qrels" / f"{split}.tsv"
            for line in file.read_text().splitlines()[1:] if file.is_file() else ():
                query, document, grade = line.split("\t")
                if int(grade) > 0 and query in queries and document in texts:
                    known.setdefault(query, []).append(document)
        yield name, texts, [(q, queries[q], ds[:4]) for q, ds in sorted(known.items())]
        bare = {k: r["text"] for k, r in documents.items() if r.get("title") and r["text"]}
        titled = [(k, documents[k]["title"], [k]) for k in sorted(bare)]
        if titled:
            yield f"{name}, titles", bare, titled
    functions = list(library_functions(Path(sysconfig.get_path("stdlib"))))
    code = {function.id: function.document for function in functions}
    yield "stdlib", code, [(f.id, f.query, [f.id]) for f in functions]


def _lines(file: Path) -> Iterator[dict[str, str]]:
    with open(file, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def everything(data: Path) -> dict[str, list[Made]]:
    """Every edit of every pair by operation, in an order drawn by key."""
    found: dict[str, list[tuple[int, Made]]] = {name: [] for name in ALL}
    for collection, texts, pairs in pairs_of(data):
        entities = Entities.of(texts.values())
        if collection == "stdlib":
            pairs = pairs[::4]  # a thousand functions are enough
        for query_id, query, positives in pairs:
            known = tuple(texts[d] for d in positives)
            for document in positives:
                (key,) = text_keys([f"{collection} {query_id} {document}"])
                asked = Asked(query, texts[document], known, int(key))
                for edit in negatives_of(asked, entities, ALL):
                    lot = int(mix(key, text_keys([edit.operation])[0]))
                    found[edit.operation].append((lot, Made(asked, edit, collection, entities)))
        print(f"{collection}: {len(pairs):,} queries", file=sys.stderr)
    return {
        name: [made for _, made in sorted(rows, key=lambda row: row[0])]
        for name, rows in found.items()
    }


def _digits(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]*\d|\d", text)


def _one_value_changed(made: Made) -> bool:
    """All changed numbers had one value, now have another, and the old one is gone."""
    old, new = _digits(made.asked.positive), _digits(made.edit.text)
    changed = {(a, b) for a, b in zip(old, new, strict=True) if a != b}
    values = {float(a.replace(",", "").strip(".")) for a, _ in changed}
    others = {float(b.replace(",", "").strip(".")) for _, b in changed}
    asked = {float(a.replace(",", "").strip(".")) for a in _digits(made.asked.query)}
    gone = not values & {float(b.replace(",", "").strip(".")) for b in new if _plain(b)}
    return len(values) == len(others) == 1 and values != others and values <= asked and gone


def _plain(number: str) -> bool:
    return number.count(".") <= 1 and not number.endswith(".")


def _date_differs(made: Made) -> bool:
    old, new = made.edit.original, made.edit.replacement
    if old[:4].isdecimal():
        stated = old[:4] in made.asked.query and new[:4] not in made.asked.query
        return stated and old[:4] not in made.edit.text and abs(int(old[:4]) - int(new[:4])) >= 2
    return old != new and old in made.asked.query and old not in made.edit.text


def _entity_differs(made: Made) -> bool:
    """Of one kind, no word or beginning in common, and nothing of the old one left."""
    old, new = made.edit.original, made.edit.replacement
    kinds = made.entities.kinds
    initials = "".join(word[0] for word in re.split(r"[ -]", old))
    return (
        kinds[old] == kinds[new]
        and old.casefold() != new.casefold()
        and old not in made.edit.text.replace(new, "")
        and new not in made.asked.positive
        and (len(initials) < 2 or f" {initials} " not in made.edit.text)
    )


_NOT = re.compile(r"\b(?:not|cannot)\b|n['’]t\b", re.IGNORECASE)


def _one_negation(made: Made) -> bool:
    before, after = (len(_NOT.findall(t)) for t in (made.asked.positive, made.edit.text))
    return abs(before - after) == 1


def _words_differ(made: Made) -> bool:
    """One word became another throughout; it is the query's, and is gone."""
    old, new = made.asked.positive.casefold().split(), made.edit.text.casefold().split()
    changed = {(a, b) for a, b in zip(old, new, strict=True) if a != b}
    word = made.edit.original.casefold()
    left = re.search(rf"\b{re.escape(word)}\b", made.edit.text.casefold())
    return bool(changed) and word in made.asked.query.casefold() and left is None


def _sides_changed(made: Made) -> bool:
    """The same words in another order."""
    old, new = made.asked.positive.split(), made.edit.text.split()
    return old != new and Counter(" ".join(old)) == Counter(" ".join(new))


def _one_node_differs(made: Made) -> bool:
    before, after = (list(ast.walk(ast.parse(t))) for t in (made.asked.positive, made.edit.text))
    if len(before) != len(after):
        return False
    return sum(_own(a) != _own(b) for a, b in zip(before, after, strict=True)) == 1


def _own(node: ast.AST) -> object:
    """A node without its children: its kind, its plain values and its operators."""
    if isinstance(node, ast.operator | ast.cmpop | ast.boolop):
        return None
    plain = [(k, repr(v)) for k, v in ast.iter_fields(node) if not isinstance(v, ast.AST | list)]
    operators = [type(op).__name__ for op in getattr(node, "ops", [])]
    return type(node).__name__, plain, operators, type(getattr(node, "op", None)).__name__


RULES: dict[str, Callable[[Made], bool]] = {
    "number": _one_value_changed,
    "date": _date_differs,
    "entity": _entity_differs,
    "negation": _one_negation,
    "antonym": _words_differ,
    "argument_order": _sides_changed,
    **dict.fromkeys(CODE, _one_node_differs),
}
"""Of each operation what must hold, in code that shares nothing with the operation's own."""


def check(found: dict[str, list[Made]]) -> int:
    """Print the table; the exit code is 1 where a rule is broken."""
    print("| operation | made | checked | as the rule says | from |\n|---|---|---|---|---|")
    broken = []
    for name, rows in found.items():
        drawn = rows[:WANTED]
        good = [made for made in drawn if RULES[name](made)]
        broken += [made for made in drawn if not RULES[name](made)]
        origin = ", ".join(f"{c} {n}" for c, n in Counter(m.collection for m in drawn).items())
        share = f"{len(good)} ({len(good) / len(drawn):.1%})" if drawn else ""
        print(f"| {name} | {len(rows):,} | {len(drawn)} | {share} | {origin} |")
    for made in broken[:20]:
        edit = made.edit
        print(f"broken: {edit.operation}: {edit.original!r} -> {edit.replacement!r}; {made.asked}")
    return int(bool(broken))


def read(found: dict[str, list[Made]]) -> int:
    """Print fifty, of every operation as many, each with its query and what stands around it."""
    each = -(-READ // len(found))
    shown: list[Made] = []
    for at in range(WANTED):
        for rows in found.values():
            if at < len(rows) and len(shown) < READ and (at < each or len(shown) < READ):
                shown.append(rows[at])
    print("| | operation | query | edited text |\n|---|---|---|---|")
    for number, made in enumerate(sorted(shown, key=lambda m: ALL.index(m.edit.operation)), 1):
        edit, text = made.edit, made.asked.positive
        around = text[max(0, edit.start - 90) : edit.start], text[edit.end : edit.end + 90]
        cell = f"...{around[0]}[{edit.original} -> {edit.replacement}]{around[1]}..."
        plain = (_cell(made.asked.query[:200]), _cell(cell))
        print(f"| {number} | {edit.operation} | {plain[0]} | {plain[1]} |")
    return 0


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("check", "read"))
    parser.add_argument("data", type=Path)
    args = parser.parse_args()
    return {"check": check, "read": read}[args.command](everything(args.data))


if __name__ == "__main__":
    sys.exit(main())

"""All operations by name: negatives, of text or of code, and probes."""

from negmine.transforms.kernels.editing import code, numbers, probes, statements
from negmine.transforms.kernels.editing.edit import Asked, Edit, Operation
from negmine.transforms.kernels.editing.entities import Entities
from negmine.transforms.kernels.text import identity

TEXT: dict[str, Operation] = {
    "number": numbers.number,
    "date": numbers.date,
    "negation": statements.negation,
    "antonym": statements.antonym,
    "argument_order": statements.argument_order,
}
"""Operations on prose; `entity` is one too, of `Entities`."""

CODE: dict[str, Operation] = {
    "operator": code.operator,
    "comparison": code.comparison,
    "identifier": code.identifier,
    "literal": code.literal,
}
"""Operations on Python source."""

PROBES: dict[str, Operation] = {
    "synonym": probes.synonym,
    "paraphrase": probes.paraphrase,
    "repetition": probes.repetition,
    "case": probes.case,
    "white_space": probes.white_space,
    "typography": probes.typography,
}
"""Operations that leave what a text says."""


def negatives_of(asked: Asked, entities: Entities, operations: tuple[str, ...]) -> list[Edit]:
    """The edits of a positive that flip its label, in an order of its own by key.

    None has the text of a known positive. Python source gets the operations on code, every other
    text those on prose.
    """
    source = code.parse(asked.positive) is not None
    known: dict[str, Operation] = CODE if source else {**TEXT, "entity": entities.edit}
    taken = {identity(text) for text in (asked.positive, *asked.known)}
    made = []
    for name in asked.order("operations", known.keys() & set(operations)):
        edit = known[name](asked)
        if edit is not None and identity(edit.text) not in taken:
            made.append(edit)
            taken.add(identity(edit.text))
    return made


def probes_of(asked: Asked) -> list[Edit]:
    """The probes of a positive; of Python source those of its white space alone."""
    source = code.parse(asked.positive) is not None
    made = (make(asked) for name, make in PROBES.items() if not source or name == "white_space")
    return [edit for edit in made if edit is not None]

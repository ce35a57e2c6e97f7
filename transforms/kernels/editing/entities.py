"""Another entity of the same kind, drawn from the collection's own documents."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from negmine.transforms.kernels.editing.edit import Asked, Edit, is_english, replaced
from negmine.transforms.kernels.editing.words import FUNCTION_WORDS, MONTHS, listed

_NAME = re.compile(r"(?<![\w-])[A-Z][a-z]{2,}(?:[ -][A-Z][a-z]{2,}){0,3}(?![\w-])")
_CODE = re.compile(r"(?<![\w/.-])(?=[\w-]*[A-Z])[A-Za-z]{1,6}-?\d{1,4}(?![\w/-]|\.\d)")
_ACRONYM = re.compile(r"(?<![\w/.&-])[A-Z]{3,6}(?![\w/&-])")
_BEHIND = re.compile(r" ([a-z]{3,})s?\b")
_STARTS = re.compile(r"(?:^|[.!?:;\n\"“(]\s*)$")
_HEADS = listed(
    "University College Institute School Church Cathedral Abbey Palace Castle Museum Company "
    "Corporation Party Army Empire Kingdom Dynasty Republic River Lake Sea Ocean Island Islands "
    "Mountains Mount Valley Street Road Avenue Park Stadium Bridge Airport County District City "
    "State Province War Battle Treaty Act Council Committee Association League Commission "
    "Department Ministry Society Club Union Conference Festival Award Prize Bay Canal"
)
_PLACES = listed("in near from at throughout across")
_TITLES = listed(
    "president king queen emperor pope dr professor mr mrs sir lord prince princess general "
    "bishop saint minister senator"
)
_NO_NAME = frozenset(MONTHS) | listed(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday However Although Moreover Therefore "
    "Methods Results Conclusions Conclusion Background Objective Objectives Introduction Aim Aims "
    "Design Setting Participants Measurements Findings Interpretation Context Text Abstract "
    "Summary Figure Table Section "
    "English French German Spanish Latin"
)
_KINDS_KEPT = 400
_LEAST_SEEN = 2
_LEAST_CHOICES = 3


def mentions(text: str) -> list[tuple[str, int, int, str]]:
    """Entities of a text: as written, start, end, and `code`, `acronym` or `name`.

    A single capitalised word at the start of a sentence is no name.
    """
    found = [
        *((m.group(), *m.span(), "code") for m in _CODE.finditer(text)),
        *((m.group(), *m.span(), "acronym") for m in _ACRONYM.finditer(text)),
    ]
    for m in _NAME.finditer(text):
        name, start = m.group(), m.start()
        starts = _STARTS.search(text[max(0, start - 4) : start])
        first, gap, rest = name.partition(" ")
        if gap and first.casefold() in FUNCTION_WORDS:  # The James River
            name, start, starts = rest, start + len(first) + 1, None
        alone = not re.search(r"[ -]", name)
        parts = set(re.split(r"[ -]", name))
        unnamed = parts & _NO_NAME or name.casefold() in FUNCTION_WORDS
        if not unnamed and not (starts and alone):
            found.append((name, start, m.end(), "name"))
    return sorted(found, key=lambda mention: mention[1])


def _shape(written: str) -> str:
    letters = re.match(r"[A-Za-z]+", written)
    case = "upper" if letters and letters[0].isupper() else "mixed"
    return f"code {case} {'-' if '-' in written else ''}"


def _context(text: str, start: int, written: str, kind: str) -> str:
    """The kind that one mention speaks for, `""` for none."""
    if kind == "code":
        return _shape(written)
    if kind == "acronym":
        end = start + len(written)
        behind = _BEHIND.match(text[end : end + 30])
        known = behind and behind[1] not in FUNCTION_WORDS
        return f"acronym {behind[1]}" if behind and known else ""
    last = written.split(" ")[-1]
    if " " in written and last in _HEADS:
        return f"name {last}"
    before = text[max(0, start - 20) : start].split()
    word = before[-1].casefold().strip(".,") if before else ""
    if word in _TITLES:
        return "name person"
    return "name place" if word in _PLACES else ""


@dataclass
class Entities:
    """The entities of a collection by kind.

    Attributes:
        kinds: the kind of each entity, by its name.
        members: the names of each kind, sorted.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Entities":
        """Those that at least two of the texts mention; a kind is what most mentions speak for.

        `X University` has the kind of what ends alike, `IL-6` that of what is written alike, an
        acronym that of the word behind it (`X mice`); a name is a place where most mentions follow
        `in` and the like, a person behind a title. Of one without such signs the kind is not
        known, so nothing takes its place.
        """
        spoken: dict[str, Counter[str]] = defaultdict(Counter)
        seen: Counter[str] = Counter()
        for text in texts:
            found = mentions(text)
            names = [m for m in found if m[3] != "name"]
            names += [m for m in found if m[3] == "name"] if is_english(text) else []
            seen.update({m[0] for m in names})
            for written, start, _, kind in names:
                spoken[written][_context(text, start, written, kind)] += 1
        kinds: dict[str, str] = {}
        for written, counts in spoken.items():
            told = {kind: votes for kind, votes in counts.items() if kind}
            if seen[written] < _LEAST_SEEN or not told:
                continue
            kind, votes = min(told.items(), key=lambda item: (-item[1], item[0]))
            enough = votes >= _LEAST_SEEN if written.isupper() else 2 * votes > counts.total()
            if enough:
                kinds[written] = kind
        members: dict[str, list[str]] = defaultdict(list)
        for written in sorted(kinds, key=lambda name: (-seen[name], name)):
            if len(members[kinds[written]]) < _KINDS_KEPT:
                members[kinds[written]].append(written)
        return cls(kinds, {kind: sorted(names) for kind, names in members.items()})

    def edit(self, asked: Asked) -> Edit | None:
        """Every mention of an entity that the query names, changed to another of its kind.

        Nothing of the replacement is in the query or in its positives, and nothing of the original
        is left: no part of the name, nothing that begins like it, and not its initials.
        """
        named = {m[0] for m in mentions(asked.query)} & self.kinds.keys()
        for written in asked.by_concreteness("entity", named):
            spans = [m[1:3] for m in mentions(asked.positive) if m[0] == written]
            members = self.members[self.kinds[written]]
            if not spans or len(members) < _LEAST_CHOICES:
                continue
            for other in asked.order(written, members)[:50]:
                if _alike(other, asked.stated) or _alike(other, written.casefold()):
                    continue
                if _alike(written, other.casefold()):
                    continue
                edit = replaced("entity", asked.positive, spans, [other] * len(spans))
                gone = edit.text.replace(other, " ")
                left = _derived(written, gone) or _alike(written, gone.casefold())
                return None if left or _spelled(written, gone.casefold()) else edit
        return None


def _derived(name: str, text: str) -> bool:
    """Whether a text has a capitalised word that begins like a name: Venetian, like Venice."""
    parts = [part for part in name.split(" ") if part.istitle() and part not in _HEADS]
    begun = (re.escape(part[: max(3, len(part) // 2)]) for part in parts)
    return any(re.search(rf"\b{begin}", text) for begin in begun)


def _spelled(written: str, text: str) -> bool:
    """Whether a text spells a code or an acronym out: TAL, transcription activator-like."""
    letters = re.match(r"[A-Za-z]+", written)
    if " " in written or letters is None or not 2 <= len(letters[0]) <= 6:
        return False
    spelled = r"\w*[\s-]+(?:of |and |for |the )?".join(letters[0].casefold())
    return bool(re.search(rf"\b{spelled}\w*", text))


def _alike(name: str, text: str) -> bool:
    """Whether a case folded text holds a part of a name, its stem or its initials."""
    parts = [p.casefold() for p in re.split(r"[ -]", name) if p.casefold() not in FUNCTION_WORDS]
    if re.search(r"\d", name) or name.isupper():  # mSOD1 and PGE2 name SOD1 and E2
        short = re.sub(r"^([A-Za-z])[A-Za-z]+-(?=[0-9])", r"\1", name).casefold()  # LINE-1, L1
        if short != name.casefold() and re.search(rf"\b{re.escape(short)}\b", text):
            return True
        return re.sub(r"[^0-9a-z]", "", name.casefold()) in re.sub(r"[-‐]", "", text)
    if len(parts) == 1:
        return bool(re.search(rf"\b{re.escape(parts[0][: max(4, len(parts[0]) - 3)])}", text))
    own = [p for p in parts if p.capitalize() not in _HEADS] or parts
    if any(re.search(rf"\b{re.escape(p[: max(4, len(p) - 3)])}", text) for p in own):
        return True
    initials = "".join(p[0] for p in parts)
    dotted = r"\.?".join(map(re.escape, initials))
    return bool(re.search(rf"\b{dotted}\b", text))

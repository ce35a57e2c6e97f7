"""Language tags in one form, and the analyser of each language."""

import re

_TAG = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*\s*")

_ONE = {
    "ar": "ara arb arz ary apc ajp acm acq aeb ars",
    "az": "aze azj azb",
    "bn": "ben", "ca": "cat", "cs": "ces cze", "da": "dan", "de": "deu ger", "el": "ell gre",
    "en": "eng", "es": "spa", "et": "est ekk", "eu": "eus baq", "fa": "fas per pes prs",
    "fi": "fin", "fr": "fra fre", "ga": "gle", "he": "heb iw", "hi": "hin", "hr": "hrv",
    "hu": "hun", "hy": "hye arm", "id": "ind in", "it": "ita", "ja": "jpn", "ka": "kat geo",
    "ko": "kor", "lt": "lit", "lv": "lav lvs", "ms": "msa may zsm", "ne": "nep npi",
    "nl": "nld dut", "no": "nor nob nno nb nn", "pl": "pol", "pt": "por", "ro": "ron rum mo",
    "ru": "rus", "sk": "slk slo", "sl": "slv", "sr": "srp", "sv": "swe", "sw": "swa swh",
    "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie",
    "yi": "yid ydd ji", "zh": "zho chi cmn yue wuu nan hak gan",
}  # fmt: skip
"""ISO 639-1 codes, and what else names the same language: codes of ISO 639-2 and 639-3, members of
a macrolanguage that share its writing, and withdrawn codes."""
_SAME = {other: code for code, others in _ONE.items() for other in others.split()}

ANALYSERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""PyStemmer's algorithm of each language that it has one for."""


def language_code(tag: str) -> str | None:
    """The language of a tag: ISO 639-1 where there is a code, else the 639-3 code; None for no tag.

    Takes BCP 47 tags (`pt-BR`, `zh_Hant`), codes of three letters and those of FLORES
    (`por_Latn`). Region and script are left out: texts of `pt-BR` and `pt-PT` compete, and are told
    apart by no analyser here.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    code = found[1].lower()
    return _SAME.get(code, code)


def analyser_of(code: str | None) -> str | None:
    """PyStemmer's algorithm of a language; None where there is none, so words stay as they are."""
    return ANALYSERS.get(code or "")

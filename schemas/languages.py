"""Language tags in one form, and the analyser of each language."""

import re

_TAG = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*\s*")

_ONE = {
    "aa": "aar", "ab": "abk", "ae": "ave", "af": "afr", "ak": "aka", "am": "amh", "an": "arg",
    "ar": "ara arb arz ary apc ajp acm acq aeb ars",
    "as": "asm", "av": "ava", "ay": "aym ayr", "az": "aze azj azb", "ba": "bak", "be": "bel",
    "bg": "bul", "bi": "bis", "bm": "bam", "bn": "ben", "bo": "bod tib", "br": "bre", "bs": "bos",
    "ca": "cat", "ce": "che", "ch": "cha", "co": "cos", "cr": "cre", "cs": "ces cze", "cu": "chu",
    "cv": "chv", "cy": "cym wel", "da": "dan", "de": "deu ger", "dv": "div", "dz": "dzo",
    "ee": "ewe", "el": "ell gre", "en": "eng", "eo": "epo", "es": "spa", "et": "est ekk",
    "eu": "eus baq", "fa": "fas per pes prs", "ff": "ful fuv", "fi": "fin", "fj": "fij",
    "fo": "fao", "fr": "fra fre", "fy": "fry", "ga": "gle", "gd": "gla", "gl": "glg",
    "gn": "grn gug", "gu": "guj", "gv": "glv", "ha": "hau", "he": "heb iw", "hi": "hin",
    "ho": "hmo", "hr": "hrv", "ht": "hat", "hu": "hun", "hy": "hye arm", "hz": "her", "ia": "ina",
    "id": "ind in", "ie": "ile", "ig": "ibo", "ii": "iii", "ik": "ipk", "io": "ido",
    "is": "isl ice", "it": "ita", "iu": "iku", "ja": "jpn", "jv": "jav jw", "ka": "kat geo",
    "kg": "kon", "ki": "kik", "kj": "kua", "kk": "kaz", "kl": "kal", "km": "khm", "kn": "kan",
    "ko": "kor", "kr": "kau knc", "ks": "kas", "ku": "kur kmr", "kv": "kom", "kw": "cor",
    "ky": "kir", "la": "lat", "lb": "ltz", "lg": "lug", "li": "lim", "ln": "lin", "lo": "lao",
    "lt": "lit", "lu": "lub", "lv": "lav lvs", "mg": "mlg plt", "mh": "mah", "mi": "mri mao",
    "mk": "mkd mac", "ml": "mal", "mn": "mon khk", "mr": "mar", "ms": "msa may zsm", "mt": "mlt",
    "my": "mya bur", "na": "nau", "nd": "nde", "ne": "nep npi", "ng": "ndo", "nl": "nld dut",
    "no": "nor nob nno nb nn", "nr": "nbl", "nv": "nav", "ny": "nya", "oc": "oci", "oj": "oji",
    "om": "orm gaz", "or": "ori ory", "os": "oss", "pa": "pan", "pi": "pli", "pl": "pol",
    "ps": "pus pbt", "pt": "por", "qu": "que quy", "rm": "roh", "rn": "run", "ro": "ron rum mo",
    "ru": "rus", "rw": "kin", "sa": "san", "sc": "srd", "sd": "snd", "se": "sme", "sg": "sag",
    "sh": "hbs", "si": "sin", "sk": "slk slo", "sl": "slv", "sm": "smo", "sn": "sna", "so": "som",
    "sq": "sqi alb als", "sr": "srp", "ss": "ssw", "st": "sot", "su": "sun", "sv": "swe",
    "sw": "swa swh", "ta": "tam", "te": "tel", "tg": "tgk", "th": "tha", "ti": "tir", "tk": "tuk",
    "tl": "tgl fil", "tn": "tsn", "to": "ton", "tr": "tur", "ts": "tso", "tt": "tat", "tw": "twi",
    "ty": "tah", "ug": "uig", "uk": "ukr", "ur": "urd", "uz": "uzb uzn", "ve": "ven", "vi": "vie",
    "vo": "vol", "wa": "wln", "wo": "wol", "xh": "xho", "yi": "yid ydd ji", "yo": "yor",
    "za": "zha", "zh": "zho chi cmn yue wuu nan hak gan", "zu": "zul",
}  # fmt: skip
"""Codes of ISO 639-1, all of them, and what else names the same language: codes of ISO 639-2 and
639-3, members of a macrolanguage that share its writing, and withdrawn codes."""
_SAME = {other: code for code, others in _ONE.items() for other in others.split()}

_WRITTEN = (
    "ace ach ain akk alt ami ang arc arn ast atj avk awa bal ban bar bcl bem bew bho bjn bpy brx "
    "bug cak cbk ceb cho chr chy ckb cnh cop crh crs csb dag din dik diq doi dsb dtp dyu ext fon "
    "frp frr fur gag gcr gil glk gom got grc gsw guc guw haw hif hil hmn hne hsb iba ilo inh jam "
    "jbo kaa kab kac kam kbd kbp kea kek kha kmb kok krc kri krl ksh kum lad lbe lez lfn lij lmo "
    "lrc ltg luo lus lzh mad mag mai mam mdf mfe mhr min mni mnw mos mrj mwl myv mzn nah nap nds "
    "new nia niu nov nqo nrm nso nus nyn olo pag pam pap pau pcd pcm pdc pfl pms pnb pwn quc rap "
    "rmy rue rup sah sat scn sco sgs shn skr sma smj smn sms srn stq sux syc syr szl tay tcy tet "
    "tly toi tok tpi trv tum tyv tzm tzo udm umb vec vep vls vro war wes xal xmf yua zea zgh zza"
)
_THREE = frozenset(_WRITTEN.split())
"""Codes of ISO 639-3 without one of 639-1 that a column is taken to mean which nobody named: of
languages with a Wikipedia or texts in the usual collections. Nearly any three letters are the
code of some language, and few of them are meant as one; so `lua` is left out."""

_NOT_KNOWN = frozenset(("und", "mul", "zxx", "mis", "unk"))
_NOTHING = frozenset(("nan", "none", "null", "n/a", "unknown", "undefined", "undetermined"))


def is_placeholder(tag: str) -> bool:
    """Whether a value says that the language is not known: `und`, `mul`, `zxx`, `mis`, `nan` ...

    `nan` alone is what programs write for a missing value; `nan-TW` is Min Nan.
    """
    found, word = _TAG.fullmatch(tag), tag.strip().lower()
    return not word or word in _NOTHING or bool(found and found[1].lower() in _NOT_KNOWN)


ANALYSERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""PyStemmer's algorithm of each language that it has one for."""


def language_code(tag: str, *, certain: bool = True) -> str | None:
    """The language of a tag: ISO 639-1 where there is a code, else the 639-3 code; None for no tag.

    Takes BCP 47 tags (`pt-BR`, `zh_Hant`), codes of three letters and those of FLORES
    (`por_Latn`). Region and script are left out: texts of `pt-BR` and `pt-PT` compete, and are told
    apart by no analyser here. Of two letters codes of ISO 639-1 alone are tags; of three any that
    is no placeholder where it is `certain` that a language is meant, else those of known languages.
    """
    found = _TAG.fullmatch(tag)
    if found is None or is_placeholder(tag):
        return None
    code = _SAME.get(found[1].lower(), found[1].lower())
    return code if code in _ONE or code in _THREE or (certain and len(code) == 3) else None


def analyser_of(code: str | None) -> str | None:
    """PyStemmer's algorithm of a language; None where there is none, so words stay as they are."""
    return ANALYSERS.get(code or "")

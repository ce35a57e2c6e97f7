"""In which encoding a text file is."""

from negmine.schemas.errors import DataError
from negmine.transforms.readers.tables.lines import open_bytes

_LOOKED_AT = 8 << 20
_WESTERN = 0.15
"""Share of letters beyond ASCII above which a text is hardly of a Western European language."""

_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def encoding_of(path: str) -> str:
    """Python's name of a file's encoding: UTF-8, UTF-16 with a mark, or cp1252 where it fits.

    Raises DataError where the first 8 MiB are none of them.
    """
    with open_bytes(path) as file:
        try:
            data = file.read(_LOOKED_AT)
        except OSError as error:
            raise DataError(f"{path} is cut off or damaged ({error}); fetch it again") from error
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    cut = len(data) == _LOOKED_AT
    try:
        data.decode()
        return "utf-8"
    except UnicodeDecodeError as error:
        if cut and error.start > len(data) - 4:
            return "utf-8"
        first = error
    high = [byte for byte in data if byte >= 0x80]
    letters = sum(1 for byte in data if byte >= 0x80 or chr(byte).isalpha())
    broken = sum(b"\n" in line or not _is_utf8(line) for line in data.split(b"\n"))
    if broken * 50 < data.count(b"\n"):
        # A few lines of many: the file is UTF-8, and these are bad rows.
        return "utf-8"
    try:
        western = data.decode("cp1252")
    except UnicodeDecodeError:
        western = ""
    beyond = [letter for letter in western if ord(letter) >= 0x80]
    fits = sum(letter.isalpha() or letter in "–—‘’“”„…€£©®°«»" for letter in beyond)
    if western and fits >= 0.9 * len(beyond) and len(high) <= _WESTERN * letters:
        return "cp1252"
    raise DataError(
        f"{path} is not UTF-8 (byte {first.start}: {data[first.start]:#x}), and not of a Western "
        "European language in cp1252; say which encoding it has, such as --set "
        "input.encoding=cp1251, gbk or shift_jis"
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True

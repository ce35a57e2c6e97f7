"""Languages as numbers: there and back, and out of a column of strings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.languages import code_of, numbered, read_codes

Codes = st.lists(st.none() | st.from_regex(r"[a-z]{2,3}", fullmatch=True), max_size=20)


@given(codes=Codes)
def test_numbers_are_codes_and_a_column_reads_as_they_do(codes: list[str | None]) -> None:
    numbers = numbered(codes)
    assert [code_of(int(number)) for number in numbers] == codes
    data = "".join(code or "" for code in codes).encode()
    ends = np.cumsum([len(code or "") for code in codes], dtype=np.int64)
    column = read_codes(ends, np.frombuffer(data, dtype=np.uint8))
    assert column.tolist() == numbers.tolist()

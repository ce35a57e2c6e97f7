"""Configs made to run code, to climb out of the output folder, or to fill the memory."""

import os
import time
from pathlib import Path

import pytest

from tests.jobs.collections import negmine

CONFIG = 2
INPUT = "input: {format: stdlib}\n"
LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
)
MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 30)
)
DOCUMENTS = {
    "billion laughs": (LAUGHS, "more than 10,000 values"),
    "merged keys": (MERGES, "more than 10,000 values"),
    "an anchor in itself": ("a: &a [*a]", "an anchor that holds itself"),
    "a Python object": ("student: !!python/object/apply:os.system [touch ran]", "python/object"),
    "a Python name": ("seed: !!python/name:os.system", "python/name"),
    "brackets": ("a: " + "[" * 100_000, "nested too deeply"),
    "levels": ("a: " + "[" * 60 + "]" * 60, "more than 50 sections in each other"),
    "a bad integer": ("seed: !!int x", "is not YAML"),
    "a bad boolean": ("seed: !!bool x", "is not YAML"),
    "a bad date": ("seed: 2001-99-99", "is not YAML"),
    "a huge integer": ("seed: " + "9" * 5000, "is not YAML"),
    "a repeated key": ("seed: 1\nseed: 2", "the key 'seed' stands twice, line 2"),
    "a NUL": ('output: {path: "a\\0b"}', "a NUL or half a surrogate pair"),
    "half a surrogate pair": ('student: {model: "\\uD800"}', "half a surrogate pair"),
    "an escape sequence": ('"\\e[31mred": 1', "\\x1b[31mred: unknown key"),
    "bidi marks": ('"\\u202Eevil": 1', "\\u202eevil: unknown key"),
    "a list of a list as policy": ("policies: [[1]]", "write a policy as one name"),
    "a huge file": ("# " + "x" * (1 << 18), "over 262,144 bytes"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, words = DOCUMENTS[name]
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "run.yaml"
    file.write_text((INPUT if "seed: 1\n" not in text else "") + text)
    started = time.monotonic()
    ended = negmine("mine", str(file), "--output", "out")
    assert time.monotonic() - started < 300, "it hangs"
    assert (ended.code, ended.out) == (CONFIG, ""), ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert ended.err.isascii() or ended.err.replace("\n", "").isprintable()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.yaml"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "loop"])
def test_a_config_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "run.yaml"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file = Path("/dev/zero")
    else:
        file.symlink_to(file)
    ended = negmine("mine", str(file))
    assert ended.code == CONFIG
    assert f"cannot read the config {file}" in ended.err


CLIMBING = {
    "output.run_id=../x": "output.run_id",
    "output.run_id=a/b": "output.run_id",
    "output.run_id=.": "output.run_id",
    'output.run_id=""': "output.run_id",
    f"output.run_id={'x' * 300}": "output.run_id",
    "output.run_id=r\u0430n": "output.run_id",
    'tiers={"../../x": {quota: 1}}': "names a folder",
    'tiers={"a/b": {quota: 1}}': "names a folder",
    'tiers={"it\'s": {quota: 1}}': "names a folder",
    'tiers={".": {quota: 1}}': "names a folder",
    'tiers={"": {quota: 1}}': "names a folder",
    'tiers={"h\u0430rd": {quota: 1}}': "names a folder",
    f"tiers={{{'x' * 300}: {{quota: 1}}}}": "names a folder",
    "tiers={__HIVE_DEFAULT_PARTITION__: {quota: 1}}": "names a folder",
    'tiers={"01": {quota: 1}}': "names a folder",
    "tiers={Hard: {quota: 1}, hard: {quota: 2}}": "differ in case only",
}


@pytest.mark.parametrize("setting", CLIMBING)
def test_a_value_that_climbs_is_refused(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(INPUT)
    ended = negmine("mine", str(file), "--output", str(tmp_path / "out"), "--set", setting)
    assert ended.code == CONFIG
    assert CLIMBING[setting] in ended.err
    assert not (tmp_path / "out").exists()

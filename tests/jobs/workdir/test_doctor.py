"""Doctor: every kind of damage is found and named, and what it says to do repairs it."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from negmine.jobs.workdir.diagnosis import Kind
from negmine.jobs.workdir.doctor import diagnose
from negmine.jobs.workdir.layout import OF_SEVERAL
from tests.jobs.collections import digest, negmine
from tests.jobs.workdir.workdirs import artifact, copied, make, mine, seen


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("doctor"))


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    """A copy under a name that a shell would take apart."""
    return copied(made, tmp_path / "it's out")


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def truncate(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[:-10])
    return file


def shorten(file: Path) -> Path:
    table = pq.read_table(file, partitioning=None)
    pq.write_table(table.slice(1), file, write_page_checksum=True)
    return file


def remove(file: Path) -> Path:
    file.unlink()
    return file


def overwrite(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def added(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(parts(folder)[0].read_bytes())
    return folder / name


def cut_copy(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[:-4])
    return file


def exchanged(folder: Path, other: Path) -> Path:
    (folder / "_manifest.json").write_bytes((other / "_manifest.json").read_bytes())
    return folder / "_manifest.json"


def restate(file: Path, **values: object) -> Path:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
    return file


Damage = Callable[[Path], Path]

DAMAGES: dict[str, tuple[Damage, str]] = {
    "truncated part": (lambda o: truncate(parts(artifact(o, "judged"))[1]), "cannot be read"),
    "empty part": (lambda o: overwrite(parts(artifact(o, "judged"))[1], ""), "cannot be read"),
    "missing part": (lambda o: remove(parts(artifact(o, "judged"))[0]), "is missing"),
    "last part missing": (lambda o: remove(parts(artifact(o, "verdicts"))[-1]), "is missing"),
    "extra part": (
        lambda o: added(artifact(o, "verdicts"), "part-000000000012-000000000017.parquet"),
        "is not in the manifest",
    ),
    "no name of a part": (
        lambda o: added(artifact(o, "verdicts"), "part-copy.parquet"),
        "is not the name of a part",
    ),
    "wrong rows": (lambda o: shorten(parts(artifact(o, "judged"))[2]), "rows, the manifest says"),
    "wrong rows by position": (
        lambda o: shorten(parts(artifact(o, "document_vectors"))[0]),
        "59 rows, its name says 60",
    ),
    "manifest not JSON": (
        lambda o: overwrite(artifact(o, "candidates_bm25") / "_manifest.json", "{"),
        "cannot be read",
    ),
    "manifest without parts": (
        lambda o: overwrite(artifact(o, "candidates_bm25") / "_manifest.json", "{}"),
        "does not list parts",
    ),
    "manifest that miscounts": (
        lambda o: restate(artifact(o, "verdicts") / "_manifest.json", rows=1),
        "says 1 rows, its parts have",
    ),
    "manifest of another": (
        lambda o: exchanged(artifact(o, "verdicts"), artifact(o, "verdicts", "one")),
        "is of artifact",
    ),
    "plan not JSON": (
        lambda o: overwrite(artifact(o, "candidates_dense") / "_plan.json", ""),
        "cannot be read",
    ),
    "plan of another cut": (
        lambda o: restate(artifact(o, "candidates_dense") / "_plan.json", block_size=4),
        "says blocks of 4 rows, the parts are of 5",
    ),
    "plan and a part": (
        lambda o: (
            truncate(parts(artifact(o, "candidates_dense"))[0]),
            overwrite(artifact(o, "candidates_dense") / "_plan.json", "{"),
        )[1],
        "cannot be read",
    ),
    "ingested part": (lambda o: truncate(parts(artifact(o, "documents"))[0]), "cannot be read"),
    "counts of ingest": (
        lambda o: remove(artifact(o, "documents").parent / "counts.json"),
        "is missing",
    ),
    "index part": (
        lambda o: remove(parts(artifact(o, "bm25_index") / "postings")[0]),
        "is missing",
    ),
    "half a copy": (
        lambda o: cut_copy(artifact(o, "documents") / "_local" / "text" / "values").parent,
        "bytes, ",
    ),
    "copy without layout": (
        lambda o: remove(artifact(o, "queries") / "_local" / "text" / "layout").parent,
        "mapped copy cannot be read",
    ),
    "half a copy of vectors": (
        lambda o: cut_copy(artifact(o, "document_vectors") / "_local" / "vector" / "values").parent,
        "1,916 bytes, 1,920 fit its 60 rows",
    ),
    "half the term numbers": (
        lambda o: cut_copy(artifact(o, "bm25_index") / "postings" / "_local" / "numbers"),
        "mapped copy",
    ),
    "pair scores": (lambda o: truncate(parts(artifact(o, "pair_scores"))[0]), "cannot be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_and_nothing_is_touched(name: str, output: Path) -> None:
    damage, words = DAMAGES[name]
    place = damage(output)
    before = seen(output)
    ended = negmine("doctor", str(output))
    assert ended.code == 5, ended.out
    assert ended.out.endswith("damaged\n")
    told = [line for line in ended.out.splitlines() if line.startswith("damage ")]
    assert any(str(place) in line and words in line for line in told), ended.out
    assert seen(output) == before


OF_EACH_KIND = {
    "truncated part",
    "manifest not JSON",
    "plan and a part",
    "ingested part",
    "index part",
    "half a copy of vectors",
    "pair scores",
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in OF_EACH_KIND else pytest.mark.long)
        for name in DAMAGES
    ],
)
def test_what_is_printed_repairs_it(name: str, made: Path, output: Path) -> None:
    DAMAGES[name][0](output)
    for line in negmine("doctor", str(output)).out.splitlines():
        if line.startswith("rm -r"):
            subprocess.run(line, shell=True, check=True)
    assert diagnose(output).sound
    again = mine(made.parent / "two.yaml", output, "again")
    assert digest(again) == digest(made / "runs" / "two")
    assert diagnose(output, deep=True).sound


def test_what_is_whole_is_sound_and_stays_as_it_is(output: Path) -> None:
    before = seen(output)
    for path in (output, output / "work"):
        for options in ((), ("--deep",)):
            ended = negmine("doctor", str(path), *options)
            assert ended.code == 0, ended.out
            assert ended.out.endswith("sound\n")
            assert "rm -r" not in ended.out
    assert seen(output) == before


def test_everything_published_and_every_artifact_is_looked_at(output: Path) -> None:
    found = diagnose(output, deep=True)
    assert found.runs == 2
    assert found.artifacts == len(list(output.glob("work/*/????????????????/")))
    files = [*output.glob("work/**/part-*.parquet"), *output.glob("runs/**/part-*.parquet")]
    files = [file for file in files if "_local" not in file.parts]
    assert found.counted.parts == len(files)
    assert found.counted.bytes == sum(file.stat().st_size for file in files)
    assert found.findings == []


def test_the_data_sets_of_ingest_and_of_the_index_are_those_that_a_run_writes(made: Path) -> None:
    for stage, names in OF_SEVERAL.items():
        if stage == "edit":  # this run has none; tests/jobs/mining/test_edited.py looks at it
            assert not (made / "work" / stage).exists()
            continue
        (folder,) = made.glob(f"work/{stage}/*/")
        assert {path.name for path in folder.iterdir() if path.is_dir()} == set(names)


@pytest.mark.parametrize("name", ["judged", "document_vectors", "documents"])
def test_a_flipped_byte_in_a_page_is_found_by_reading_every_page(name: str, output: Path) -> None:
    file = parts(artifact(output, name))[0]
    whole = file.read_bytes()
    footer = pq.read_metadata(file)
    chunks = [footer.row_group(0).column(i) for i in range(footer.num_columns)]
    places = []
    for chunk in chunks:
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        places.append(start + chunk.total_compressed_size - 1)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        file.write_bytes(bytes(damaged))
        assert diagnose(output).sound, place
        found = diagnose(output, deep=True)
        assert [f.path for f in found.findings if f.kind is Kind.DAMAGE] == [file], place
    file.write_bytes(whole)
    assert diagnose(output, deep=True).sound


def test_pair_scores_under_another_name_are_found_by_reading_them(output: Path) -> None:
    file = parts(artifact(output, "pair_scores"))[0]
    moved = file.rename(file.with_name(f"part-{'0' * 32}.parquet"))
    assert diagnose(output).sound
    damaged = [f for f in diagnose(output, deep=True).findings if f.kind is Kind.DAMAGE]
    assert [(f.path, "other pairs" in f.what) for f in damaged] == [(moved, True)]


RUN_DAMAGES: dict[str, tuple[Damage, str]] = {
    "truncated": (lambda run: truncate(parts(run / "sets")[0]), "cannot be read"),
    "shorter": (
        lambda run: shorten(parts(run / "sets")[0]).parent,
        "11 rows, the manifest says 12",
    ),
    "no partition": (
        lambda run: remove(parts(run / "negatives" / "tier=hard")[0]).parent,
        "0 rows, the manifest says",
    ),
    "other partition": (
        lambda run: (run / "negatives" / "tier=hard").rename(run / "negatives" / "tier=else"),
        "is a partition that the manifest does not name",
    ),
    "extra part": (
        lambda run: added(run / "sets", "part-000000000012-000000000013.parquet"),
        "is no part of this run",
    ),
    "no manifest": (lambda run: remove(run / "manifest.json"), "is missing"),
    "no JSON": (lambda run: overwrite(run / "manifest.json", "[]"), "JSON object"),
    "no counts": (lambda run: overwrite(run / "manifest.json", "{}"), "has no counts"),
    "another's": (lambda run: restate(run / "manifest.json", run_id="x"), "belongs to run 'x'"),
}


@pytest.mark.parametrize("name", RUN_DAMAGES)
@pytest.mark.parametrize("run_id", ["one", "two"])
def test_a_damaged_run_is_named_and_if_it_is_in_force_another_to_promote(
    name: str, run_id: str, output: Path
) -> None:
    damage, words = RUN_DAMAGES[name]
    place = damage(output / "runs" / run_id)
    ended = negmine("doctor", str(output))
    assert ended.code == 5
    assert any(str(place) in line and words in line for line in ended.out.splitlines()), ended.out
    assert f"'\"'\"'s out/runs/{run_id}'\n" in ended.out
    promoting = re.findall("^negmine runs promote .* one$", ended.out, re.MULTILINE)
    assert len(promoting) == (run_id == "two")


@pytest.mark.parametrize("text", ["three\n", "\n", "../runs/one\n"])
def test_current_that_names_no_run(text: str, output: Path) -> None:
    (output / "current").write_text(text)
    found = diagnose(output)
    (finding,) = found.findings
    assert (finding.kind, finding.path) == (Kind.DAMAGE, output / "current")
    assert found.commands == [("negmine", "runs", "promote", str(output), "two")]
    assert found.remove == []


def test_no_current_is_worth_a_note(output: Path) -> None:
    (output / "current").unlink()
    ended = negmine("doctor", str(output))
    assert ended.code == 0
    assert "no run is in force" in ended.out
    assert "negmine runs promote" in ended.out


def test_what_is_unfinished_or_left_over_is_named_and_no_damage(output: Path) -> None:
    (artifact(output, "judged") / "_manifest.json").unlink()
    (artifact(output, "judged") / "_plan.json").touch()
    staged = output / "runs" / ".three.4000000.tmp"
    staged.mkdir()
    ended = negmine("doctor", str(output), "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["sound"]) == (0, True)
    kinds = {(found["kind"], found["path"]) for found in told["findings"]}
    assert kinds == {
        ("unfinished", str(artifact(output, "judged"))),
        ("leftover", str(staged)),
    }


def test_a_truncated_part_of_an_unfinished_artifact_is_damage(output: Path) -> None:
    (artifact(output, "judged") / "_manifest.json").unlink()
    file = truncate(parts(artifact(output, "judged"))[0])
    found = diagnose(output)
    damaged = [f for f in found.findings if f.kind is Kind.DAMAGE]
    assert [f.path for f in damaged] == [file]
    assert file in damaged[0].remove


def test_a_work_directory_that_was_deleted_leaves_the_runs_sound(output: Path) -> None:
    shutil.rmtree(output / "work")
    found = diagnose(output, deep=True)
    assert found.sound
    assert {f.kind for f in found.findings} == {Kind.NOTE}
    assert "judged" in found.findings[0].what


def test_a_manifest_that_leads_elsewhere_names_nothing_to_delete_there(output: Path) -> None:
    listed = {"parts": [{"name": "../../../current", "rows": 0, "bytes": 4}], "rows": 0}
    restate(artifact(output, "verdicts") / "_manifest.json", **listed)
    found = diagnose(output)
    assert not found.sound
    assert all(path.is_relative_to(artifact(output, "verdicts")) for path in found.remove)


@pytest.mark.parametrize("name", ["nowhere", "collection"])
def test_a_folder_that_is_neither_is_refused(name: str, made: Path) -> None:
    ended = negmine("doctor", str(made.parent / name))
    assert ended.code == 2
    assert "neither a work directory" in ended.err

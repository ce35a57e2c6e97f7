"""URLs and mirror paths: one stands for the other on every machine, and no secret passes."""

import os
import re
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.errors import ConfigError, StorageError
from negmine.schemas.locations import is_mirrored, is_url, rooted, shown, url_of
from negmine.transforms.storage.places import local_path

NAMES = st.text(
    st.characters(exclude_characters="/@?\0", exclude_categories=["Cs"]), min_size=1, max_size=9
).filter(lambda name: name not in (".", ".."))


def with_cache(folder: str) -> "mock._patch_dict":
    return mock.patch.dict(os.environ, {"NEGMINE_CACHE": folder})


@given(st.sampled_from(["s3", "gs"]), st.lists(NAMES, min_size=1, max_size=5))
def test_a_mirror_path_stands_for_its_url_on_every_machine(scheme: str, names: list[str]) -> None:
    url = f"{scheme}://{'/'.join(names)}"
    with with_cache("/one/cache of me"):
        path = local_path(url)
        assert (url_of(path), rooted(path), is_mirrored(path)) == (url, path, True)
        assert str(path).startswith("/one/cache of me/")
        told = shown(f"cannot read {path}: gone")
    with with_cache("/two"):
        assert str(rooted(path)).startswith("/two/")
        assert url_of(rooted(path)) == url
    assert told == f"cannot read {url}: gone"


@pytest.mark.parametrize("text", ["/data/x", "out", "relative/s3:/x", "s3", "http://a/b", "s3:x"])
def test_other_paths_are_themselves(text: str) -> None:
    assert not is_url(text)
    assert local_path(text) == rooted(text) == Path(text)
    assert url_of(text) is None


def test_a_path_object_of_a_url_is_the_url() -> None:
    """Path and so the command line make one slash of two."""
    assert url_of(local_path(Path("s3://bucket/a/b/"))) == "s3://bucket/a/b"


REFUSED = {
    "s3://key:s3cr3t@bucket/x": "user",
    "s3://bucket/x?X-Amz-Signature=s3cr3t": "query string",
    "gs://": "bucket/key",
    "s3://bucket/a//b": "empty parts",
    "s3://bucket/../b": "empty parts",
}


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_cannot_be_taken_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ConfigError, match=REFUSED[url]) as caught:
        local_path(url)
    assert "s3cr3t" not in str(caught.value)


def test_a_question_mark_of_a_glob_is_no_query_string() -> None:
    assert url_of(local_path("s3://bucket/part-?.parquet")) == "s3://bucket/part-?.parquet"


def test_errors_name_urls_and_no_password() -> None:
    path = "/somewhere/else/negmine-mirror/gs/bucket/run/x"
    error = StorageError(f"cannot read '{path}' nor s3://me:s3cr3t@bucket/x")
    assert str(error) == "cannot read 'gs://bucket/run/x' nor s3://***@bucket/x"
    assert re.search("negmine-mirror", str(error)) is None

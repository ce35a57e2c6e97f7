"""Options of Dataflow, and the image of its workers: what is right, and what is said otherwise."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.runner.doctor.checks import Check, State
from negmine.jobs.runner.doctor.dataflow import FORMS, option_checks
from negmine.jobs.runner.doctor.images import worker_checks

NEEDED: dict[str, Any] = {
    "project": "my-project",
    "region": "us-central1",
    "temp_location": "gs://my-bucket/temp",
    "max_num_workers": 20,
    "disk_size_gb": 100,
}
BEAM, PYTHON = version("apache-beam"), f"{sys.version_info[0]}.{sys.version_info[1]}"
REGISTRY = "us-central1-docker.pkg.dev/my-project/negmine/worker"


def looked(**options: Any) -> dict[str, Check]:
    """The checks by name, the worst of each."""
    order = [State.OK, State.UNKNOWN, State.WRONG]
    found = sorted(option_checks({**NEEDED, **options}), key=lambda c: order.index(c.state))
    return {check.name: check for check in found}


def test_what_is_needed_is_enough() -> None:
    assert {check.state for check in looked().values()} == {State.OK}


@pytest.mark.parametrize("name", [form.option for form in FORMS if form.required])
def test_what_is_needed_is_asked_for(name: str) -> None:
    check = looked(**{name: None})[name]
    assert check.state is State.WRONG
    assert f"runner.options.{name}" in check.do


GOOD = {
    "project": ["a-b-c1", "example.com:my-project"],
    "region": ["europe-west4", "northamerica-northeast1"],
    "temp_location": ["gs://b.u_c-ket/", "gs://bucket/a b/c"],
    "job_name": ["a", "negmine-1"],
    "machine_type": ["n2-standard-8", "g2-standard-4", "n2-custom-4-8192"],
    "service_account_email": [
        "miner@my-project.iam.gserviceaccount.com",
        "123456789-compute@developer.gserviceaccount.com",
    ],
    "network": ["default"],
    "subnetwork": [
        "regions/us-central1/subnetworks/mine",
        "https://www.googleapis.com/compute/v1/projects/p-roject/regions/us-central1/subnetworks/a",
    ],
    "worker_zone": ["us-central1-b"],
    "autoscaling_algorithm": ["NONE"],
    "model_accelerator": ["type:nvidia-l4;count:1;install-nvidia-driver"],
    "labels": [["team=search", "cost_center=a-1", "пол=я"]],
}
BAD: dict[str, list[Any]] = {
    "project": ["My Project", "1234567890", "short", "ends-"],
    "region": ["us-central1-b", "US"],
    "temp_location": ["/tmp/x", "s3://bucket/x", "gs://", "gs://B/x", "gs://bucket/@1", "gs://b/x"],
    "staging_location": ["bucket/x"],
    "job_name": ["Negmine", "1a", "a-", "a_b"],
    "machine_type": ["n2", "8 cores", "e2-micro"],
    "disk_size_gb": [0, 10],
    "service_account_email": ["miner", "miner@example.com"],
    "network": ["a/b"],
    "subnetwork": ["mine", "regions/europe-west4/subnetworks/mine"],
    "worker_zone": ["us-central1", "europe-west4-a"],
    "num_workers": [0, 21],
    "max_num_workers": [0, 5000],
    "autoscaling_algorithm": ["FAST"],
    "model_accelerator": ["nvidia-l4"],
    "labels": [["Team=x"], ["=x"], ["a=" + "x" * 64], [f"k{i}=v" for i in range(65)]],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD.items() for v in values])
def test_the_forms_that_dataflow_takes(name: str, value: Any) -> None:
    assert looked(**{name: value})[name].state is State.OK


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_the_forms_that_dataflow_refuses(name: str, value: Any) -> None:
    check = looked(**{name: value})[name]
    assert check.state is State.WRONG
    assert check.do


def test_runner_v2_cannot_be_switched_off() -> None:
    assert looked(experiments=["use_runner_v2"])["runner v2"].state is State.OK
    assert looked(experiments=["a,disable_runner_v2"])["runner v2"].state is State.WRONG


def test_what_bounds_the_cost_is_asked_for() -> None:
    found = looked(max_num_workers=None, disk_size_gb=None)
    assert found["max_num_workers"].state is found["disk_size_gb"].state is State.UNKNOWN


IMAGES = {
    f"{REGISTRY}:beam{BEAM}-py{PYTHON}": (State.OK, BEAM),
    f"{REGISTRY}:beam2.1.0": (State.WRONG, "holds Beam 2.1.0"),
    f"{REGISTRY}:beam{BEAM}-py3.99": (State.WRONG, "holds Python 3.99"),
    f"{REGISTRY}:latest": (State.UNKNOWN, "names no version"),
    REGISTRY: (State.UNKNOWN, "names no version"),
    f"{REGISTRY}:0.1.0": (State.UNKNOWN, "does not say its Beam"),
    f"{REGISTRY}@sha256:{'0' * 64}": (State.UNKNOWN, "does not say its Beam"),
    f"apache/beam_python{PYTHON}_sdk:{BEAM}": (State.WRONG, "holds no negmine"),
    f"apache/beam_python{PYTHON}_sdk:2.1.0": (State.WRONG, "holds Beam 2.1.0"),
    "Not An Image": (State.WRONG, "no name of an image"),
}


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_of_workers_is_of_this_beam_and_python(image: str) -> None:
    state, words = IMAGES[image]
    (check,) = worker_checks({"sdk_container_image": image})
    assert (check.state, words in check.what) == (state, True)


def test_workers_need_negmine_from_somewhere(tmp_path: Path) -> None:
    (nothing,) = worker_checks({})
    assert nothing.state is State.WRONG
    assert "worker.Dockerfile" in nothing.do
    file = tmp_path / "requirements.txt"
    (missing, _) = worker_checks({"requirements_file": str(file)})
    assert missing.state is State.WRONG
    for text, state in (("negmine==0.1.0 # ours\n", State.OK), ("negmine>=0.1\n", State.UNKNOWN)):
        file.write_text(text)
        found = list(worker_checks({"requirements_file": str(file)}))
        assert [check.state for check in found] == [state, State.OK]
    stock = f"apache/beam_python{PYTHON}_sdk:{BEAM}"
    brought = list(worker_checks({"sdk_container_image": stock, "extra_packages": [str(file)]}))
    assert [check.state for check in brought] == [State.OK, State.OK]


def test_the_image_that_is_built_is_of_the_beam_that_is_installed() -> None:
    recipe = (Path(__file__).parents[4] / "jobs" / "templates" / "worker.Dockerfile").read_text()
    stock = next(line.split()[1] for line in recipe.splitlines() if line.startswith("FROM"))
    (check,) = worker_checks({"sdk_container_image": stock})
    assert f"_sdk:{BEAM}" in stock
    assert "holds Beam" not in check.what

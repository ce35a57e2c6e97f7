"""What a pipeline's counters are called, and what is said of a job that is out of sight."""

import pytest

from negmine.jobs.runner.pipeline import _raised, _stage_of

NAMES = ("embed", "embed documents", "check judge fusion", "select")
STEPS = {
    "embed documents/EmbedTexts/Encode": "embed documents",
    "ref_AppliedPTransform_embed-documents-EmbedTexts-Encode_15": "embed documents",
    "ref_AppliedPTransform_embed-EmbedTexts-Encode_15": "embed",
    "ref_AppliedPTransform_check-judge-fusion-Write-Write_38": "check judge fusion",
    "ref_AppliedPTransform_selection-Write_38": "selection-Write",
    "something else": "something else",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_counter_belongs_to_the_stage_of_its_step_whatever_the_runner_calls_that(
    step: str,
) -> None:
    assert _stage_of(step, NAMES) == STEPS[step]


def test_where_the_job_service_ends_what_is_left_of_the_job_is_said() -> None:
    message = 'StatusCode.UNAVAILABLE\n\tdetails = "Socket closed"'
    error = _raised(message, "FlinkRunner", "host:8099", "job a may still run on host")
    assert "the job service at host:8099 ended while the job ran" in str(error)
    assert "job a may still run on host; finished parts are kept" in str(error)
    assert "may still run" not in str(_raised(message, "FlinkRunner", "host:8099"))


def test_a_full_disk_of_the_engine_is_the_machine_s_refusal() -> None:
    error = _raised(
        "failed in state FAILED: java.io.IOException: No space left on device", "FlinkRunner", None
    )
    assert error is not None and error.exit_code == 5
    assert str(error).startswith("FlinkRunner: a disk of the engine is full")

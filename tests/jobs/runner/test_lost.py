"""What engines say of their dead, as it was said when they died, and what the user reads."""

import pytest

from negmine.jobs.runner.lost import lost_part

_FAILED = "Pipeline BeamApp-1 failed in state FAILED: "

SAID = {
    "a task manager whose connection broke": (
        "org.apache.flink.runtime.io.network.netty.exception.RemoteTransportException: Connection "
        "unexpectedly closed by remote task manager '127.0.0.1/127.0.0.1:35805 [ tm2 ] '. This "
        "might indicate that the remote task manager was lost.",
        "task manager 127.0.0.1:35805 [ tm2 ] was lost; start it again if nothing else does",
    ),
    "a worker that was killed": (
        "java.lang.IllegalStateException: Process died with exit code 137",
        "a worker's process was killed, as a machine without memory does (exit code 137); give "
        "workers more, or lower runner.block_size; what it said is in the folder that "
        "NEGMINE_WORKER_LOGS names (docs/runners.md)",
    ),
    "a worker that does not start": (
        "java.lang.IllegalStateException: Process died with exit code 1",
        "a worker's process ended with exit code 1; what it said is in the folder that "
        "NEGMINE_WORKER_LOGS names (docs/runners.md)",
    ),
    "a disk of a task manager that is full": (
        "java.io.IOException: No space left on device",
        "a disk of the engine is full, where a task manager, the job manager or the job server "
        "keeps its files (io.tmp.dirs, blob.storage.directory); the job's page or their logs say "
        "which; free space there",
    ),
    "a disk of the job manager that is full": (
        "org.apache.flink.runtime.rest.util.RestClientException: [File upload failed.]",
        "the engine could not take the job's files (File upload failed); its job manager's log "
        "says why: a full disk, where web.tmpdir and blob.storage.directory are, for one",
    ),
    "a worker that does not come up on a machine that is too busy": (
        "org.apache.beam.vendor.guava.v32_1_2_jre.com.google.common.util.concurrent."
        "UncheckedExecutionException: java.util.concurrent.TimeoutException: Waited 3 minutes "
        "(plus 946143 nanoseconds delay) for SettableFuture@585c9383[status=PENDING]",
        "a worker's process did not come up within 3 minutes; see whether its machine has more to "
        "do than it can; what it said is in the folder that NEGMINE_WORKER_LOGS names "
        "(docs/runners.md)",
    ),
    "a worker of Prism that does not come up on a machine that is too busy": (
        "prism worker[job-007[job]_ref_Environment_default_environment_1] didn't get control "
        "connection to localhost:49751 after 1m0s",
        "a worker's process did not come up within 1m0s; see whether its machine has more to do "
        "than it can; what it said is in the folder that NEGMINE_WORKER_LOGS names "
        "(docs/runners.md)",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_the_part_that_died_is_named(case: str) -> None:
    said, sentence = SAID[case]
    assert lost_part(_FAILED + said) == sentence


def test_an_engine_that_fails_for_a_reason_of_its_own_is_quoted() -> None:
    said = (
        "org.apache.flink.runtime.client.JobSubmissionException: Failed to submit JobGraph.\n\tat a"
    )
    assert lost_part(_FAILED + said) == "the engine failed the job: Failed to submit JobGraph."


def test_what_a_worker_raised_is_not_the_engine_s_failure() -> None:
    said = "java.lang.RuntimeException: Error: Traceback (most recent call last):\nKeyError: 'x'"
    assert lost_part(_FAILED + said) is None
    assert lost_part("the disk is on fire") is None

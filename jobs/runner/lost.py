"""What an engine says when a part of it died or is missing, as one sentence for people."""

import re

_LOGS = "what it said is in the folder that NEGMINE_WORKER_LOGS names (docs/runners.md)"
FULL = re.compile(r"No space left on device")
_PARTS = (
    (
        FULL,
        "a disk of the engine is full, where a task manager, the job manager or the job server "
        "keeps its files (io.tmp.dirs, blob.storage.directory); the job's page or their logs say "
        "which; free space there",
    ),
    (
        re.compile(r"File upload failed"),
        "the engine could not take the job's files (File upload failed); its job manager's log "
        "says why: a full disk, where web.tmpdir and blob.storage.directory are, for one",
    ),
    (
        re.compile(r"Process died with exit code 137"),
        "a worker's process was killed, as a machine without memory does (exit code 137); give "
        "workers more, or lower runner.block_size; " + _LOGS,
    ),
    (
        re.compile(r"Process died with exit code (?P<what>\d+)"),
        "a worker's process ended with exit code {what}; " + _LOGS,
    ),
    (
        re.compile(
            r"TaskManager with id (?P<what>\S+?)(?:\(\S*\))? (?:timed out|is no longer reachable)"
            r"|remote task manager '(?:[^'/]*/)?(?P<where>[^' ]+(?: \[ [^\]]+ \])?)"
            r"|TaskExecutor (?P<who>\S+) .*?(?:lost|shutting down|disconnect)"
        ),
        "task manager {what} was lost; start it again if nothing else does",
    ),
    (
        re.compile(
            r"Waited (?P<what>\d+ minutes?) \(plus [^)]*\) for SettableFuture"
            r"|get control connection to \S+ after (?P<where>\w+)"
        ),
        "a worker's process did not come up within {what}; see whether its machine has more to do "
        "than it can; " + _LOGS,
    ),
    (
        re.compile(
            r"NoResourceAvailableException|Could not acquire the minimum required resources"
        ),
        "the engine had no free slot for the job; see whether its task managers run, or lower "
        "runner.options.parallelism",
    ),
    (
        re.compile(
            r"(?:Client|SDK harness|Endpoint) (?:disconnected|hung up|is disconnected)"
            r"|StatusRuntimeException: CANCELLED|Stream closed before|Multiplexer hanging up"
            r"|call already (?:closed|cancelled|half-closed)"
        ),
        "a worker's process was lost, killed or out of memory; " + _LOGS,
    ),
)
_JAVA = re.compile(
    r"failed in state \w+: (?:[a-z]\w*\.)+\w*(?:Exception|Error)(?:: (?P<said>[^\n]+))?"
)


def lost_part(message: str) -> str | None:
    """The sentence for a failed job's message, None where it is not the engine that failed."""
    if "Traceback (most recent call last)" in message:
        return None
    for pattern, sentence in _PARTS:
        if found := pattern.search(message):
            named = next((value for value in found.groupdict().values() if value), "")
            return sentence.format(what=named)
    if found := _JAVA.search(message):
        said = " ".join((found["said"] or found[0]).split())[:400]
        return f"the engine failed the job: {said}"
    return None

"""How a JVM of a cluster is started: its memory, its class path, what Java 17 wants opened."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_OPENED = [
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "sun.net.util",
    "sun.nio.ch",
    "sun.nio.cs",
    "sun.security.action",
    "sun.util.calendar",
]
"""Packages that the engines' serialisers look into; Java 17 wants them named."""

_LOGGING = """rootLogger.level = INFO
rootLogger.appenderRef.out.ref = Out
appender.out.name = Out
appender.out.type = CONSOLE
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1} - %m%n%ex{8}
"""


def java(
    folder: Path,
    classes: str,
    megabytes: int,
    words: Sequence[str],
    limits: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> list[str]:
    """The command of a JVM with a heap of some megabytes that logs what it says to its output."""
    home = os.environ.get("JAVA_HOME")
    program = os.path.join(home, "bin", "java") if home else "java"
    logging = folder / "conf" / "log4j.properties"
    if not logging.exists():
        logging.parent.mkdir(parents=True, exist_ok=True)
        logging.write_text(_LOGGING)
    named = {"log4j.configurationFile": str(logging), **(properties or {})}
    return [
        program,
        f"-Xmx{megabytes}m",
        *limits,
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        *(f"-D{name}={value}" for name, value in named.items()),
        "-cp",
        classes,
        *words,
    ]

"""Run a command, and report its resource usage and the size of its output.

    python -S tests/benchmarks/launch.py command ...

This process is small because the peak memory that the system reports for a command is
at least that of its parent process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time


def main() -> None:
    """Print the figures as a JSON object and discard the output."""
    written: dict[str, int] = {"RECORD": 0, "STATE": 0, "log": 0, "other": 0}
    rows = 0
    errors: list[bytes] = []
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 (our own command)
        sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None

    def read_log() -> None:
        for line in process.stderr or ():
            written["log"] += len(line)
            errors[:] = [*errors[-20:], line]

    log = threading.Thread(target=read_log)
    log.start()
    for line in process.stdout:
        kind = next((name for name in written if f'"{name}"'.encode() in line[:24]), "")
        written[kind or "other"] += len(line)
        rows += kind == "RECORD"
    log.join()
    _, status, usage = os.wait4(process.pid, 0)
    figures = {
        "wall_seconds": time.perf_counter() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
        "rows": rows,
        "bytes": written,
        "last_lines": b"".join(errors).decode(errors="replace"),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()

"""A PostgreSQL server that runs during a test."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "gorgias"  # of the user and of the database
DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path:
    """Return the folder of initdb and pg_ctl, preferably from the path."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parts[-2]))
    if not found:
        message = "PostgreSQL is missing; on Debian: `apt-get install postgresql`."
        raise FileNotFoundError(message)
    return found[-1]


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Yield the socket of a server, whose database is empty before and after."""
    host = _started()
    try:
        yield host
    finally:
        # In a transaction, the second could not follow the first.
        for statement in ("DROP DATABASE {} WITH (FORCE)", "CREATE DATABASE {}"):
            lines(host, statement.format(NAME), "postgres")


@cache
def _started() -> str:
    """Start the server of this process, which ends with it."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(_server())


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """Run a temporary server that listens on a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="gorgias-"))
    try:
        # The server refuses to run as root.
        owner = "postgres" if os.geteuid() == 0 else None
        if owner:
            shutil.chown(folder, owner, owner)

        def run(program: str, *options: str) -> None:
            subprocess.run(  # noqa: S603
                [programs() / program, *options],
                cwd=folder,
                user=owner,
                group=owner,
                extra_groups=[] if owner else None,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        data, log = str(folder / "data"), str(folder / "log")
        setup = ("--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8")
        run("initdb", "-D", data, "-U", NAME, *setup)
        network = f"-k {folder} -c listen_addresses="
        speed = "-c fsync=off -c full_page_writes=off"
        run("pg_ctl", "-D", data, "-l", log, "-w", "-o", f"{network} {speed}", "start")
        try:
            run("createdb", "-h", str(folder), "-U", NAME, NAME)
            yield str(folder)
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def lines(host: str, query: str, database: str = NAME) -> list[str]:
    """Run a statement and return its only column, one value per row."""
    login = ("-h", host, "-U", NAME, "-d", database)
    result = subprocess.run(  # noqa: S603
        [programs() / "psql", *login, "-X", "-q", "-A", "-t", "-c", query],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return result.stdout.split("\n")[:-1]

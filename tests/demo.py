"""Load a helpdesk into DuckDB, twice: `python3 tests/demo.py`.

Needs Python 3.10 or newer with pip, and nothing else. Without an account it reads an
invented helpdesk from a server on this machine. Set TAP_GORGIAS_SUBDOMAIN,
TAP_GORGIAS_EMAIL and TAP_GORGIAS_API_KEY to read a real one: the last 24 hours, or
all since TAP_GORGIAS_START_DATE. Nothing is ever written to the helpdesk.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    import io
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tests.sandbox import Shop

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)

from tests.support.commands import BIN, DemoError, check_exit_code, environment, output  # noqa: E402

FOLDER = ROOT / ".demo"
DATABASE = FOLDER / "helpdesk.duckdb"
TAP = FOLDER / "tap" / BIN / "tap-gorgias"
# With DuckDB 1.2 and later, this target loses the first row of a load.
TARGET = ("target-duckdb==0.8.0", "duckdb<1.2")
NEWEST_PYTHON = (3, 13)  # the newest with binaries of such a DuckDB
ACCOUNT = ("TAP_GORGIAS_SUBDOMAIN", "TAP_GORGIAS_EMAIL", "TAP_GORGIAS_API_KEY")
OLDEST_PYTHON = (3, 10)
REFUSED = re.compile(r"^(\w+) +refused\b", re.MULTILINE)
SUMMARY = re.compile(r"^(\w+) +(\d+) +(\d+)  complete$", re.MULTILINE)
TOTAL = re.compile(r"^\d+ streams, .+$", re.MULTILINE)

_QUERY = """
import duckdb, json, sys
database = duckdb.connect(sys.argv[1], read_only=True)
rows = [database.execute(query).fetchall() for query in sys.argv[2:]]
print(json.dumps(rows, default=str))
"""


class Run(NamedTuple):
    """The counts of a run by stream, and its final state."""

    rows: Mapping[str, int]
    requests: Mapping[str, int]
    state: str


def say(line: str = "", end: str = "\n") -> None:
    """Print and flush a line."""
    sys.stdout.write(line + end)
    sys.stdout.flush()


class Steps:
    """Numbers the steps in the order in which they are taken."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def title(self, text: str) -> str:
        """Return the title of the next step, with its number."""
        return f"{next(self._numbers)}  {text}"

    def timed(self, text: str) -> contextlib.AbstractContextManager[None]:
        """Print the title of the next step, and in the end its duration."""
        return timed(self.title(text))


@contextlib.contextmanager
def timed(title: str) -> Iterator[None]:
    """Print a title, and in the end how long it took."""
    say(f"{title:.<70}", end=" ")
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - began:5.1f} s")


def python_with_duckdb() -> str:
    """Return a Python for which such a DuckDB exists, preferably this one."""
    later = sys.version_info[:2] > NEWEST_PYTHON
    names = ("python3.13", "python3.12", "python3.11", "python3.10")
    found = map(shutil.which, names) if later else iter([sys.executable])
    python = next(filter(None, found), None)
    if not python:
        message = "The target needs a Python from 3.10 to 3.13 beside this one."
        raise DemoError(message)
    return python


def install() -> None:
    """Install the tap from this checkout and a target in separate environments."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for path in sorted((ROOT / "tap_gorgias").rglob("*")):
        if path.suffix in {".py", ".json"}:
            digest.update(path.read_bytes())
    python = python_with_duckdb()
    tap = ("tap", sys.executable, f"{sys.version} {digest.hexdigest()}", str(ROOT))
    target = ("target", python, f"{python} {sys.version} {TARGET}", *TARGET)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: environment(FOLDER, *one), (tap, target)))


def write_private(path: Path, content: object) -> Path:
    """Write JSON to a new file that only this user can read."""
    path.touch(0o600)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def catalog(config: Path) -> Any:  # noqa: ANN401
    """Discover the catalog and also select `messages`."""
    log = FOLDER / "discover.log"
    found = json.loads(output(log, TAP, "--config", config, "--discover"))
    select(found, {"messages"}, selected=True)
    return found


def run_connection_test(folder: Path) -> set[str]:
    """Run the tap with `--test`, print its report, and return the refused streams."""
    log = FOLDER / "test.log"
    command = (TAP, "--config", "config.json", "--catalog", "catalog.json", "--test")
    with timed("   Test the connection"), log.open("wb") as errors:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, check=False
        )
    report = done.stdout.decode()
    if not report:  # for example because of an invalid key
        check_exit_code(command, done.returncode, log)
    say(f"\n{report}")
    return set(REFUSED.findall(report))


def select(found: Any, names: Collection[str], *, selected: bool) -> None:  # noqa: ANN401
    """Select or deselect streams of a catalog."""
    streams = {stream["tap_stream_id"]: stream for stream in found["streams"]}
    for name in names:
        for entry in streams[name]["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = selected


def load(title: str, folder: Path, number: int, state: str) -> Run:
    """Run `tap-gorgias | target-duckdb` once."""
    (folder / "state.json").write_text(state, encoding="utf-8")
    files = ("--config", "config.json", "--catalog", "catalog.json")
    tap_command = (TAP, *files, "--state", "state.json")
    target_command = (FOLDER / "target" / BIN / "target-duckdb", "-c", "target.json")
    tap_log, target_log = FOLDER / f"tap-{number}.log", FOLDER / f"target-{number}.log"
    with contextlib.ExitStack() as stack:
        stack.enter_context(timed(title))
        tap_out = stack.enter_context(tap_log.open("wb"))
        target_out = stack.enter_context(target_log.open("wb"))
        pipe = subprocess.PIPE
        tap = subprocess.Popen(tap_command, cwd=folder, stdout=pipe, stderr=tap_out)  # noqa: S603
        target = subprocess.Popen(  # noqa: S603
            target_command, cwd=folder, stdin=tap.stdout, stdout=pipe, stderr=target_out
        )
        stack.callback(tap.kill)
        stack.callback(target.kill)
        if tap.stdout:
            tap.stdout.close()  # only the target reads from the pipe
        states = target.communicate()[0].decode().split("\n")[:-1]
        tap.wait()
        # If the target fails, the tap fails too, because nothing reads its output.
        check_exit_code(target_command, target.returncode, target_log)
        check_exit_code(tap_command, tap.returncode, tap_log)
    log = tap_log.read_text(encoding="utf-8")
    say("   " + TOTAL.findall(log)[-1])
    streams = SUMMARY.findall(log)
    return Run(
        {name: int(rows) for name, rows, _ in streams},
        {name: int(requests) for name, _, requests in streams},
        states[-1] if states else state,
    )


def query(*queries: str) -> list[list[list[Any]]]:
    """Run queries in DuckDB with the Python of the target."""
    log, python = FOLDER / "query.log", FOLDER / "target" / BIN / "python"
    return list(json.loads(output(log, python, "-c", _QUERY, DATABASE, *queries)))


def loaded(names: Collection[str]) -> dict[str, int]:
    """Count the rows of each stream in DuckDB."""
    answers = query(*(f"SELECT count(*) FROM gorgias.{name}" for name in names))  # noqa: S608
    return {name: rows[0][0] for name, rows in zip(names, answers, strict=True)}


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table below an empty line."""
    from tests.support.tables import lines_of  # noqa: PLC0415

    say()
    for line in lines_of(heads, rows):
        say(f"   {line}")


def check(shop: Shop, counts: Mapping[str, int]) -> None:
    """Raise an error if the counts differ from the invented helpdesk."""
    from tests.support.shops import count_rows  # noqa: PLC0415

    for name, count in counts.items():
        if count != (expected := count_rows(shop, name)):
            message = f"{count} rows of {name} were loaded instead of {expected}."
            raise DemoError(message)


def change(shop: Shop) -> None:
    """Simulate an hour of business in the invented helpdesk."""
    shop.advance(3_600)
    shop.customers.create(name="New Customer")
    *_, answered, closed = shop.tickets.ids()
    shop.messages.create(answered)
    shop.tickets.update(closed, status="closed", subject="Closed by the demo")


def newest_tickets() -> None:
    """Show the newest tickets in DuckDB."""
    [tickets] = query(
        "SELECT id, status, channel, subject, date_trunc('second', updated_datetime) "
        "FROM gorgias.tickets ORDER BY updated_datetime DESC, id LIMIT 5"
    )
    table(("ticket", "status", "channel", "subject", "updated (UTC)"), tickets)


def show(config: dict[str, str], shop: Shop | None, steps: Steps) -> None:
    """Load the helpdesk, change it, and load the changes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with steps.timed("Discover the catalog, and select messages too"):
            found = catalog(write_private(folder / "config.json", config))
            write_private(folder / "catalog.json", found)
        if not shop:
            select(found, run_connection_test(folder), selected=False)
            write_private(folder / "catalog.json", found)
        # The target writes a state only after loading all rows before it.
        target = {"default_target_schema": "gorgias", "flush_all_streams": True}
        write_private(folder / "target.json", {**target, "path": str(DATABASE)})
        title = steps.title("First run: tap-gorgias | target-duckdb")
        first = load(title, folder, 1, "{}")
        counts = loaded(first.rows)
        if shop:
            # Messages of the most recently changed tickets are read twice.
            check(shop, {**first.rows, "ticket_messages": counts["ticket_messages"]})
            check(shop, counts)
        rows = [(n, first.rows[n], counts[n], first.requests[n]) for n in counts]
        table(("stream", "rows read", "rows in DuckDB", "requests"), rows)
        newest_tickets()
        say()
        if shop:
            change(shop)
            say(steps.title("An hour passes: a new customer, message, closed ticket"))
        title = steps.title("Second run, from the state of the first")
        second = load(title, folder, 2, first.state)
    counts = loaded(second.rows)
    if shop:
        check(shop, counts)
    both = (first.rows, second.rows, first.requests, second.requests, counts)
    lines = [(name, *(one[name] for one in both)) for name in counts]
    heads = ("stream", "rows: 1st run", "2nd", "requests: 1st run", "2nd", "in DuckDB")
    table(heads, [*lines, ("all", *(sum(one.values()) for one in both))])
    say("\n   Small tables, and days whose rows may have changed, are read again.")
    say("   So are messages of tickets that changed, or did just before the last run.")
    newest_tickets()


def show_models(steps: Steps) -> None:
    """Build the models with dbt, and draw three tables from them."""
    from tests import demo_models  # noqa: PLC0415

    if not (loaded := demo_models.loaded(query)):
        return
    say()
    with steps.timed("Install dbt, and build the models in dbt/"):
        python, packages = python_with_duckdb(), demo_models.PACKAGES
        environment(
            FOLDER, "dbt", python, f"{python} {sys.version} {packages}", *packages
        )
        command = demo_models.command(FOLDER, FOLDER / "dbt" / BIN, DATABASE, loaded)
        output(FOLDER / "dbt.log", *command)
    demo_models.draw(query, say)


def account() -> dict[str, str]:
    """Return the real account from the environment, or an empty dictionary."""
    given = {name: os.environ[name] for name in ACCOUNT if os.environ.get(name)}
    if given and (missing := set(ACCOUNT) - set(given)):
        message = f"{' and '.join(given)} set, but not {' and '.join(missing)}."
        raise DemoError(message)
    settings = {name[12:].lower(): value for name, value in given.items()}
    if given:
        yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
        settings["start_date"] = os.environ.get("TAP_GORGIAS_START_DATE", yesterday)
    return settings


def demo(*, fresh: bool) -> None:
    """Run the whole demo."""
    from tests.demo_models import hints  # noqa: PLC0415

    real = account()
    if fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
    for old in FOLDER.glob(f"{DATABASE.name}*"):
        old.unlink()
    say("A Gorgias helpdesk into DuckDB, with tap-gorgias and target-duckdb.\n")
    steps = Steps()
    with steps.timed("Install both in .demo, each in its own environment"):
        install()
    if real:
        about = f"Helpdesk: {real['subdomain']}, since {real['start_date']}"
        say(steps.title(about))
        show(real, None, steps)
    else:
        from tests.sandbox import Sandbox, Shop  # noqa: PLC0415

        say(steps.title("Helpdesk: an invented one, served by this machine"))
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
        with Sandbox(Shop(tickets=600, customers=400, events=1_500)) as sandbox:
            show(sandbox.config, sandbox.shop, steps)
    show_models(steps)
    say("\nTables: .demo/helpdesk.duckdb, schemas gorgias and gorgias_models.")
    say("Logs: .demo/*.log.")
    say("\n".join(hints(FOLDER / "target" / BIN / "python", DATABASE)))
    say("Delete the folder .demo when you are done.")


def main() -> int:
    """Run the demo; report a failure by a message and the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="install everything anew")
    options = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        oldest, this = (
            ".".join(map(str, v[:2])) for v in (OLDEST_PYTHON, sys.version_info)
        )
        sys.stderr.write(f"The demo needs Python {oldest} or newer; this is {this}.\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    began = time.monotonic()
    try:
        demo(fresh=options.fresh)
    except (DemoError, OSError) as error:
        sys.stderr.write(f"\nThe demo failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    say(f"Done in {time.monotonic() - began:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

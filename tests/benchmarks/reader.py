"""Read tickets and messages in parallel, as fast as the tap's budget allows.

    python tests/benchmarks/reader.py config.json

It uses the streams' own requests and writes nothing, so the budget is the bottleneck
and not the machine. It never ends by itself. `PYTHONPATH` may name another version of
the tap.
"""

from __future__ import annotations

import json
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_gorgias.stream_types.stream import GorgiasStream

STREAMS = ("tickets", "messages")


def read(stream: GorgiasStream) -> None:
    """Read a list page by page, repeatedly."""
    while True:
        for _ in pages_of(stream):
            pass


def pages_of(stream: Any) -> Iterator[object]:  # noqa: ANN401 (of any version)
    """Request the pages of a list, also with version 0.1.0."""
    pages: Iterator[object]
    if hasattr(stream, "pages"):
        pages = stream.pages()
    else:
        pages = import_module("tap_gorgias.pages").pages(stream.fetch())
    return pages


def main() -> None:
    """Read both lists until the process is killed."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tap = TapGorgias(config=config)
    readers = [
        threading.Thread(target=read, args=(tap.streams[name],)) for name in STREAMS
    ]
    for reader in readers:
        reader.start()


if __name__ == "__main__":
    main()

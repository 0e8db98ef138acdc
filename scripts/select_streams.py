"""Select only some streams of a catalog: `select_streams.py tickets messages`.

Reads the output of `tap-gorgias --discover` from stdin, and writes to stdout.
"""

from __future__ import annotations

import argparse
import json
import sys


def main() -> None:
    """Read a catalog, select the streams, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("streams", nargs="+", metavar="STREAM")
    parser.add_argument(
        "--full-table", action="store_true", help="read them in full in each run"
    )
    options = parser.parse_args()
    catalog = json.load(sys.stdin)
    known = {stream["tap_stream_id"] for stream in catalog["streams"]}
    if unknown := set(options.streams) - known:
        parser.error(f"There is no stream {', '.join(sorted(unknown))}.")
    for stream in catalog["streams"]:
        chosen = stream["tap_stream_id"] in options.streams
        if chosen and options.full_table:
            stream["replication_method"] = "FULL_TABLE"
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = chosen
    json.dump(catalog, sys.stdout, indent=2)


if __name__ == "__main__":
    main()

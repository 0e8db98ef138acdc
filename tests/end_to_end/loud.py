"""The tap with all debug logging enabled, and a crash in the requested part.

Usage: python -m tests.end_to_end.loud PART [arguments of the tap]
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

PARTS = {
    "transport": ("tap_gorgias.api.session", "RateLimitAdapter", "send"),
    "decode": ("tap_gorgias.api.session", None, "decode"),
    "auth": ("tap_gorgias.api.client", "GorgiasClient", "send_signed"),
    "token": ("tap_gorgias.api.auth", None, "lifetime_seconds"),
    "reading": ("tap_gorgias.stream_types.stream", None, "rows_of"),
    "converter": ("tap_gorgias.records.converter", "RecordConverter", "convert"),
    "writer": ("tap_gorgias.sdk.writer", "MessageWriter", "format_message"),
}


def break_in_use(part: str) -> None:
    """Let a part do its work, then raise an error that contains its whole state."""
    module, class_name, name = PARTS[part]
    owner: object = importlib.import_module(module)
    if class_name:
        owner = getattr(owner, class_name)
    work = getattr(owner, name)

    def fail(*args: Any, **kwargs: Any) -> None:
        result = work(*args, **kwargs)
        state = [vars(one) if hasattr(one, "__dict__") else one for one in args]
        state += [vars(one) if hasattr(one, "__dict__") else one for one in (result,)]
        nested = [vars(value) for one in state for value in _values(one)]
        raise RuntimeError(state, nested, kwargs)

    setattr(owner, name, fail)


def _values(one: object) -> list[Any]:
    values = one.values() if isinstance(one, dict) else [one]
    return [value for value in values if hasattr(value, "__dict__")]


def main() -> None:
    """Run the tap."""
    part = sys.argv.pop(1)
    from tap_gorgias.tap import TapGorgias  # noqa: PLC0415 (arguments come first)

    if part in PARTS:
        break_in_use(part)
    for name in ("urllib3", "requests", "http.client", "singer_sdk", "tap-gorgias"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    TapGorgias.cli()


if __name__ == "__main__":
    main()

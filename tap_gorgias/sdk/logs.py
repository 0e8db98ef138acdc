"""Every line says of which stream it speaks, and details of the SDK are not shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import singer_sdk
from singer_sdk.metrics import METRICS_LOGGER_NAME

from tap_gorgias.compat import override

_SDK_FOLDER = str(Path(singer_sdk.__file__).parent)


class StreamLogger(logging.LoggerAdapter):  # type: ignore[type-arg]  # Python 3.10
    """Begins each message with the name of the stream.

    The name of the logger contains it too, but Meltano does not show that.
    """

    def __init__(self, logger: Any, stream_name: str) -> None:  # noqa: ANN401 (0.55)
        super().__init__(logger, {})
        self._head = f"{stream_name}: "

    @override
    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if not self.isEnabledFor(level):
            return
        text = str(msg) % args if args else str(msg)
        if not text.startswith(self._head):  # as the messages of `ApiError` do
            text = f"{self._head}{text}"
        self.logger.log(level, "%s", text, **kwargs)


class SdkDetailsFilter(logging.Filter):
    """Makes DEBUG of what the SDK logs at level INFO, except its metrics."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        is_detail = (
            record.levelno == logging.INFO and record.name != METRICS_LOGGER_NAME
        )
        if is_detail and record.pathname.startswith(_SDK_FOLDER):
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger(record.name).isEnabledFor(record.levelno)


_FILTER = SdkDetailsFilter()


def hide_details() -> None:
    """Add the filter to the handlers of the root logger."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_FILTER)

"""Validation of the SDK's setting `batch_config`.

The classes of BATCH are in a private module of the SDK, although public methods such as
`Stream.get_batches` have them as arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BaseBatchFileEncoding", "BatchConfig", "batch_config_problems"]


def batch_config_problems(config: Mapping[str, Any]) -> list[str]:
    """Check `batch_config` before a run.

    The SDK's JSON schema accepts settings with which its class fails during the run.

    Args:
        config: The settings.

    Returns:
        A sentence if the setting is invalid; an empty list if it is valid or not set.
    """
    batch_config = config.get("batch_config")
    if not batch_config:
        return []
    try:
        BatchConfig.from_dict(batch_config)
    except (AttributeError, KeyError, TypeError, ValueError):
        problem = (
            "Setting `batch_config` must contain `encoding` with `format`, and "
            "`storage` with `root`."
        )
        return [problem]
    return []

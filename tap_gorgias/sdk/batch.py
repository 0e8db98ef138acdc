"""The classes of BATCH, from a private module of the SDK.

Public methods such as `Stream.get_batches` have them as arguments.
"""

from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig

__all__ = ["BaseBatchFileEncoding", "BatchConfig"]

"""Takes the tap's own credentials out of texts that are about to be shown."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator


class OwnSecrets:
    """What must never be shown: grows while tokens are renewed, from any thread."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._forms: tuple[str, ...] = ()

    def add(self, *secrets: str) -> None:
        """Learn of secrets.

        Args:
            secrets: As they are used; their forms in a header or a form come by
                themselves.
        """
        forms = {*self._forms, *(form for one in secrets for form in _forms(one))}
        # A long one may hold a short one, and must go as a whole.
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def masked(self, text: str) -> str:
        """Mask the secrets in a text.

        Args:
            text: Any text.

        Returns:
            The text with `***` for each secret.
        """
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _forms(secret: str) -> Iterator[str]:
    if not secret:
        return
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(secret.encode()).decode()
        yield from (encoded, encoded.rstrip("="))

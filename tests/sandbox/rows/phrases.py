"""Words and phrases for generated rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.sandbox.dice import Dice

FIRST_NAMES: Final = (
    "Ada",
    "Bruno",
    "Chloé",
    "Dmitri",
    "Esra",
    "Fatima",
    "George",
    "Håkon",
    "Ines",
    "Jürgen",
    "Łukasz",
    "Mei",
    "Ngozi",
    "Özge",
    "Priya",
    "美咲",
)
LAST_NAMES: Final = (
    "Almeida",
    "Brown",
    "Çelik",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Hansen",
    "Ivanova",
    "Jones",
    "Kowalska",
    "Nguyễn",
    "O'Brien",
    "佐藤",
)
SUBJECTS: Final = (
    "Where is my order?",
    "Refund for order #1043",
    "Re: Your order is on its way 📦",
    "Wrong size — can I exchange it?",
    "Cancel my subscription, please",
    "Ma commande n'est pas arrivée",
    'Item "Blue Lamp" arrived broken 😢',
    "Discount code does not work",
    "Lieferung an die falsche Adresse",
    "住所を変更したい",
)
SENTENCES: Final = (
    "Hello,",
    "My parcel has not arrived yet and I am getting worried.",
    "Could you check the tracking number for me?",
    "Thank you so much for the quick help! 🙏",
    "We have sent you a new one today; it should arrive on Friday.",
    "The lamp was broken when I opened the box 😢.",
    "Your refund of 24.90 € is on its way.",
    'It says "code expired" — but the mail came yesterday.',
    "Merci beaucoup et à bientôt.",
    "Is there anything else I can do for you?",
    "Können Sie die Adresse noch ändern?",
    "返品したいのですが、どうすればいいですか。",
    "Best regards",
)
CHANNELS: Final = ("email", "email", "chat", "contact_form", "phone", "sms", "whatsapp")
LANGUAGES: Final = ("en", "en", "fr", "de", "ja", None)
TIMEZONES: Final = ("Europe/Paris", "America/New_York", "Africa/Nairobi", None)
COLORS: Final = ("#ff624d", "#c13e50", "#0f83e0", "#000000")


def text(dice: Dice) -> str:
    """Generate a text, which is occasionally very long."""
    sentences = [dice.pick(SENTENCES) for _ in range(1 + dice.roll(5))]
    return "\n".join(sentences) * (200 if dice.chance(1) else 1)

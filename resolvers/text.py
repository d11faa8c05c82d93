"""Texts that people type: what is refused, and how two of them are compared."""

import unicodedata

MAX_CHARACTERS = 200
"""Of a name, an owner, a river. The longest name of the national inventory has 69."""


UNUSABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, lone surrogates, line and paragraph separators."""

INVISIBLE = {"Cf", "Zs"}
"""Formats (joiners, marks of direction) and blanks: fine within a text, but no text by themselves."""


class UnusableText(ValueError):
    """Says why, as the end of a sentence that begins with the field's label."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def clean_text(text: str | None) -> str | None:
    """Without blanks at the ends; None where nothing is left to be seen.

    Raises UnusableText with `TOO_LONG` or `INVALID_TEXT`.
    """
    text = (text or "").strip()
    if len(text) > MAX_CHARACTERS:
        raise UnusableText("TOO_LONG", f"has {len(text):,} characters; {MAX_CHARACTERS} are allowed")
    categories = {unicodedata.category(character) for character in text}
    if categories & UNUSABLE:
        raise UnusableText("INVALID_TEXT", "contains control characters or half of a character pair")
    return text if categories - INVISIBLE else None


def fold(text: str) -> str:
    """The text as it is compared and searched: no case, no accents, single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Decomposed first: what comes out of it may be capitals (№ becomes No).
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())

"""Build dates, honest about their precision: ISO 8601 reduced precision, `1941`, `1993-04` or `1993-04-12`."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
ENGLISH = re.compile(r"([A-Za-z]+)\.? ([0-9]{1,2}), ?([0-9]{4})")
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


EARLIEST_CLOCK = timezone(timedelta(hours=14))
"""Where each day begins first: what is today there is in nobody's future but theirs."""


class UnusableDate(ValueError):
    """Says why, naming the text."""


@dataclass(frozen=True, slots=True, order=True)
class BuildDate:
    """The days between which the date lies, both included: one day, one month or one year."""

    first_day: date
    last_day: date


@lru_cache(maxsize=4096)
def iso(first_day: date, last_day: date) -> str:
    """As precise as it is known. Most dams share theirs with others: some hundred years."""
    if first_day == last_day:
        return first_day.isoformat()
    return first_day.isoformat()[: 7 if first_day.month == last_day.month else 4]


def parse_iso(text: str) -> BuildDate:
    """Raises UnusableDate."""
    return _span(text, text)


def parse_build_date(text: str) -> BuildDate:
    """As `parse_iso`, and "April 12, 1993" as the portal app and files write it.

    Raises UnusableDate, also for a date that has not come yet.
    """
    built = _span(_english(text) or text, text)
    if built.first_day > datetime.now(EARLIEST_CLOCK).date():
        raise UnusableDate(f'"{text}" is in the future')
    return built


def _span(iso_text: str, written: str) -> BuildDate:
    found = ISO.fullmatch(iso_text)
    if found is None:
        raise UnusableDate(_not_iso(written))
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        raise UnusableDate(f'"{written}" is not a date of the calendar') from None
    last_month = month or 12
    return BuildDate(first, date(first.year, last_month, day or calendar.monthrange(first.year, last_month)[1]))


def _english(text: str) -> str | None:
    """`1993-04-12` for "April 12, 1993", None for any other text."""
    found = ENGLISH.fullmatch(text)
    if found is None:
        return None
    matching = [number for number, month in enumerate(MONTHS, start=1) if month[:3] == found[1].lower()[:3]]
    if not matching or not MONTHS[matching[0] - 1].startswith(found[1].lower()):
        return None
    return f"{found[3]}-{matching[0]:02}-{int(found[2]):02}"


def _not_iso(text: str) -> str:
    sort = "could be one of two days" if re.fullmatch(r"\d{1,2}[/.]\d{1,2}[/.]\d{4}", text) else "is not a date"
    return f'"{text[:40]}" {sort}; write 1941, 1993-04 or 1993-04-12'

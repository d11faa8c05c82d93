"""`make soak` in small, for some seconds; and that its comparison sees what is wrong."""

from pathlib import Path

import pytest

from tests.soak.dams import FILTERS, WANTED_BY_ALL, Dam
from tests.soak.journal import Journal, Stream, read_journal
from tests.soak.judge import Log, differences, lost_adds
from tests.soak.run import soak
from tests.soak.settings import SoakSettings

WEBER = next(each for each in FILTERS if each.where == {"river": "weber river"})


async def test_every_subscriber_ends_with_the_dams_of_the_database_whatever_fails_meanwhile() -> None:
    assert await soak(SoakSettings(seed=1, minutes=0.2, subscribers=12, database="postgresql"), print) == []


def dam(number: int, river: str = "Weber River") -> Dam:
    return Dam(f"Dam {number}", "Other", river, 40.4, -111.5)


LOG = Log({1: dam(1), 3: dam(3), 4: dam(4, "Bear River"), 5: dam(5)}, removed={2, 6})
ADDED = {2: dam(2), 6: dam(6, "Bear River")}


def streams(*numbers: list[int], end: str = "cut") -> list[Stream]:
    return [Stream(8000, "", [(number, f"Dam {number}") for number in each], end) for each in numbers]


@pytest.mark.parametrize(
    "good", [streams([1, 3, 5]), streams([1, 2], [], [3, 5]), streams([1, 3, 5], end="SLOW_CONSUMER")]
)
def test_the_comparison_passes_what_is_right(good: list[Stream]) -> None:
    assert list(differences(good, WEBER, LOG, ADDED)) == []


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (streams([1, 5]), "as number 2 came (5, 'Dam 5'), and should have (3, 'Dam 3')"),
        (streams([1, 3]), "as number 3 came nothing, and should have (5, 'Dam 5')"),
        (streams([1, 3, 5, 7]), "as number 4 came (7, 'Dam 7'), and should have nothing"),
        (streams([1, 3, 4, 5]), "as number 3 came (4, 'Dam 4'), and should have (5, 'Dam 5')"),
        (streams([1, 3, 3, 5]), "Dam 3 (3) came after 3 on one stream"),
        (streams([3, 1, 5]), "Dam 1 (1) came after 3 on one stream"),
        (streams([1, 3], [3, 5]), "Dam 3 (3) came after 3 over a resume"),
        (streams([1, 3, 5, 6]), "Dam 6 (6), which was removed since, does not meet the filter"),
        (streams([1, 3, 5], end="CURSOR_AHEAD"), "ended with CURSOR_AHEAD"),
    ],
)
def test_the_comparison_finds_what_is_wrong(bad: list[Stream], sentence: str) -> None:
    assert sentence in "; ".join(differences(bad, WEBER, LOG, ADDED))


def test_adds_that_were_acknowledged_and_are_lost_or_doubled_are_found() -> None:
    assert list(lost_adds(LOG, {1: dam(1), 2: dam(2)})) == []
    assert "dam 7 was acknowledged" in "; ".join(lost_adds(LOG, {7: dam(7)}))
    assert list(lost_adds(Log({1: dam(1), 3: dam(1)}, set()), {})) == ["Dam 1 was added twice, as 1 and 3"]


def test_a_dam_that_everybody_wants_meets_every_filter() -> None:
    assert all(each.meant(WANTED_BY_ALL) for each in FILTERS)


def test_a_journal_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "0.journal"
    journal = Journal(file, "start")
    journal.begun(8000)
    journal.received("after 1", {"damId": 1, "name": "Dam 1"})
    with file.open("ab") as torn:
        torn.write(b'{"cursor":"after 3","id":3')
    journal = Journal(file, "start")
    assert journal.cursor == "after 1"
    journal.begun(8001)
    assert read_journal(file) == [Stream(8000, "start", [(1, "Dam 1")]), Stream(8001, "after 1")]

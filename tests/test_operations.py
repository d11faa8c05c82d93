"""Which subscriptions are shared: equal ones, and only those."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auth.viewer import Viewer
from models.identity import Permission
from resolvers import filters
from resolvers.cursors import event_cursor
from tests.in_memory import ANYBODY, Station, settle, station

MEMBER = Viewer(7, "alice", frozenset({Permission.VIEW_DAMS, Permission.ADD_DAMS}))
OTHER_MEMBER = Viewer(8, "bob", frozenset({Permission.VIEW_DAMS, Permission.ADD_DAMS}))

VARIABLE = "subscription Follow($after: String, $where: DamFilter) { damAdded(after: $after, where: $where) { damId } }"
REQUIRED = "subscription ($after: String!) { damAdded(after: $after) { damId } }"
SEVERAL = "subscription A { damAdded { damId } } subscription B { damAdded { name } }"
LITERAL = f'subscription {{ damAdded(after: "{event_cursor(0)}") {{ damId }} }}'


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    async with station(monkeypatch) as office:
        yield office


def asks(query: str = VARIABLE, viewer: Viewer = ANYBODY, name: str | None = None, **variables: Any) -> dict[str, Any]:
    return {"query": query, "viewer": viewer, "name": name, **variables}


SHARED = {
    "as it is": [asks(), asks()],
    "with a cursor, null or none": [asks(after=0), asks(after=None), asks()],
    "with a cursor in the document": [asks(LITERAL), asks(LITERAL)],
    "with a cursor that the document demands": [asks(REQUIRED, after=0), asks(REQUIRED, after=0)],
    "with variables in another order": [
        asks(where={"text": "a", "river": "b"}, after=0),
        asks(after=0, where={"river": "b", "text": "a"}),
    ],
    "with a variable that the document does not know": [asks(unknown=1), asks(unknown=2), asks()],
    "of several users who may do the same": [asks(viewer=MEMBER), asks(viewer=OTHER_MEMBER)],
    "of several operations": [asks(SEVERAL, name="A"), asks(SEVERAL, name="A")],
}
"""Subscriptions of one group, to an add of a dam that they all want."""

NOT_SHARED = {
    "other permissions": [asks(), asks(viewer=MEMBER)],
    "another document": [asks(), asks(VARIABLE + " ")],
    "other variables": [asks(where={"text": "a"}), asks(where={"text": "ab"})],
    "null instead of none": [asks(where=None), asks()],
    "true instead of 1": [asks(where={"heightFt": {"min": 1}}), asks(where={"heightFt": {"min": True}})],
    "another operation of the document": [asks(SEVERAL, name="A"), asks(SEVERAL, name="B")],
    "a name where there is one operation": [asks(), asks(name="Follow")],
}


@pytest.mark.parametrize("what", SHARED)
async def test_equal_subscriptions_are_one_execution_for_each_event(office: Station, what: str) -> None:
    followed = [office.follow(**each) for each in SHARED[what]]
    await settle()
    assert len(office.delivery.groups) == 1
    for _ in range(3):
        office.add(name="ab", river="b")
        await office.seen()
    assert [following.listener.sequences for following in followed] == [[1, 2, 3]] * len(followed)
    first, *others = [following.listener.results for following in followed]
    for other in others:
        assert all(mine.payload is theirs.payload for mine, theirs in zip(first, other, strict=True))
    assert office.executions == 3


@pytest.mark.parametrize("what", NOT_SHARED)
async def test_different_subscriptions_are_executed_each(office: Station, what: str) -> None:
    followed = [office.follow(**each) for each in NOT_SHARED[what]]
    await settle()
    running = [following for following in followed if not following.task.done()]
    assert len(office.delivery.groups) == len(running)
    office.add(name="abc", river="b", height_ft=5.0)
    await office.seen()
    assert office.executions == len(running)
    assert [following.listener.sequences for following in running] == [[1]] * len(running)


UNUSUAL = {
    "a fragment at the root": asks("subscription { ...Root } fragment Root on Subscription { damAdded { damId } }"),
    "an inline fragment at the root": asks("subscription { ... { damAdded { damId } } }"),
    "a cursor by default": asks(
        f'subscription ($after: String = "{event_cursor(0)}") {{ damAdded(after: $after) {{ damId }} }}'
    ),
    "a cursor that is used elsewhere": asks(
        "subscription ($after: String) { damAdded(after: $after, where: {text: $after}) { damId } }"
    ),
    "a cursor of two operations": asks(
        "subscription Follow($after: String) { damAdded(after: $after) { damId } }"
        " query Other($after: String) { dams(after: $after) { totalCount } }",
        name="Follow",
    ),
}


@pytest.mark.parametrize("what", UNUSUAL)
async def test_what_a_document_says_in_an_unusual_way_is_executed_for_itself(office: Station, what: str) -> None:
    followed = [office.follow(**UNUSUAL[what]) for _ in range(2)]
    await settle()
    assert len(office.delivery.groups) == 0
    office.add(3)
    await office.seen()
    assert [following.listener.sequences for following in followed] == [[1, 2, 3]] * 2
    assert [following.listener.payloads[0] for following in followed] == [{"data": {"damAdded": {"damId": 1}}}] * 2
    assert office.executions == 6


async def test_a_default_cursor_counts_where_the_client_sends_none(office: Station) -> None:
    office.add(3)
    await office.seen()
    asked = UNUSUAL["a cursor by default"]
    followed = [office.follow(**asked, **after) for after in ({}, {"after": 2}, {"after": None})]
    await settle()
    assert [following.listener.sequences for following in followed] == [[1, 2, 3], [3], []]


@pytest.mark.parametrize("order", [1, -1])
async def test_who_leaves_out_a_cursor_that_the_document_demands_fails_alone(office: Station, order: int) -> None:
    asked = [asks(REQUIRED, after=0), asks(REQUIRED), asks(REQUIRED, after=None)]
    followed = [office.follow(**each) for each in asked[::order]]
    await settle()
    office.add()
    await office.seen()
    good, *bad = followed[::order]
    assert good.listener.sequences == [1]
    for following in bad:
        end = await following.end()
        assert end.reason == "bad_user_input"
        assert "Variable '$after'" in end.errors[0]["message"]
        assert following.listener.results == []


async def test_two_that_are_refused_are_each_told(office: Station) -> None:
    for _ in range(2):
        end = await office.follow(VARIABLE, where={"nonsense": 1}).end()
        assert end.reason == "bad_user_input"
        assert [error["extensions"]["code"] for error in end.errors] == ["BAD_USER_INPUT"]
    assert len(office.delivery.groups) == 0


async def test_a_filter_is_decided_once_for_all_that_have_it(office: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_decisions(monkeypatch)
    document = "subscription ($where: DamFilter) {{ damAdded(where: $where) {{ name{} }} }}"
    followed = [office.follow(document.format(" " * number), where={"text": "creek"}) for number in range(20)]
    followed += [office.follow(document.format(""), viewer=MEMBER, where={"text": "CREEK"}) for _ in range(20)]
    await settle()
    assert len(office.delivery.groups) == 21
    office.add(name="Deer Creek")
    await office.seen()
    assert [following.listener.sequences for following in followed] == [[1]] * 40
    assert asked == [1]


async def test_1000_filters_are_decided_once_each_and_each_gets_what_it_wants(
    office: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_decisions(monkeypatch)
    followed = [
        office.follow(VARIABLE, where={"heightFt": {"min": number}}) for number in range(1_000) for _ in range(2)
    ]
    await settle()
    assert len(office.delivery.groups) == 1_000
    for height in (250.0, None, 999.0):
        office.add(height_ft=height)
        await office.seen()
    for minimum, following in enumerate(followed):
        assert following.listener.sequences == ([1] if minimum // 2 <= 250 else []) + [3]
    assert asked == [1] * 1_000 + [2] * 1_000 + [3] * 1_000
    assert office.executions == 251 + 1_000


def count_decisions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The dams about which it was asked whether they meet a filter."""
    asked: list[int] = []
    meets = filters.meets

    def counted(dam: Any, where: filters.Filter) -> bool:
        asked.append(dam.id)
        return meets(dam, where)

    monkeypatch.setattr(filters, "meets", counted)
    return asked

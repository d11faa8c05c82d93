"""Random documents that subscribe to damAdded: valid ones, and ones with a piece gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, get_named_type
from hypothesis import strategies as st

from resolvers.cursors import event_cursor
from schema import schema

ALL = event_cursor(0)
TYPES = schema._schema.type_map
MAX_FRAGMENTS = 3


@dataclass(frozen=True)
class Sent:
    query: str
    variables: Mapping[str, Any]
    name: str | None


FLAGS = ("yes", "no")

directives = st.sampled_from(
    [""] * 8
    + ["@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@skip(if: $yes)", "@skip(if: true)"]
    + ["@include(if: true)", "@skip(if: false) @include(if: $yes)", "@include(if: $no) @skip(if: $no)"]
)

WHERES: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("where: null", {}),
    ('where: {text: "dam"}', {}),
    ("where: {}", {}),
    ("where: $where", {"where": ("DamFilter", {"text": "Dam"})}),
    ("where: $where", {"where": ("DamFilter = {hazards: [HIGH, LOW]}", None)}),
    ("where: {hazards: $hazards}", {"hazards": ("[Hazard!]", ["HIGH", "SIGNIFICANT"])}),
    ("where: {heightFt: {min: $min}}", {"min": ("Float", 10)}),
    ("where: {box: {west: -180, south: $south, east: 180, north: 90}}", {"south": ("Float!", -45.5)}),
]
"""The argument, and its variables: type and value. None is not sent."""

AFTERS: list[tuple[str, dict[str, Any]]] = [
    ("after: $after", {"after": ("String", ALL)}),
    ("after: $after", {"after": ("String", ALL)}),
    ("after: $after", {"after": ("String!", ALL)}),
    ("after: $after", {"after": (f'String = "{ALL}"', None)}),
    ("after: $after", {"after": ("String", None)}),
    (f'after: "{ALL}"', {}),
    (f'after: """{ALL}"""', {}),
    ("after: null", {}),
    ("", {}),
]


@st.composite
def selections(draw: st.DrawFn, named: str, fragments: tuple[str, ...], depth: int = 2) -> str:
    """What is chosen of a type. An alias tells its field, so that no two fields are to be merged that cannot be."""
    kind = TYPES[named]
    assert isinstance(kind, GraphQLObjectType)
    picked = []
    for field in draw(st.lists(st.sampled_from([*kind.fields, "__typename"]), min_size=1, max_size=6)):
        alias = draw(
            st.sampled_from(["", "", f"a_{field}: ", f"b{field}: ", *(["eventCursor: "] * (field == "cursor"))])
        )
        inner = ""
        if field in kind.fields and isinstance(of := get_named_type(kind.fields[field].type), GraphQLObjectType):
            inner = draw(selections(of.name, (), 0))
        picked.append(f"{alias}{field} {draw(directives)} {inner}")
    for _ in range(draw(st.integers(0, depth))):
        on = draw(st.sampled_from(["", f"on {named}", *(f"on {each.name}" for each in kind.interfaces)]))
        body = "{ id }" if on == "on Node" else draw(selections(named, fragments, depth - 1))
        picked.append(f"... {on} {draw(directives)} {body}")
    picked += [f"...{fragment} {draw(directives)}" for fragment in fragments if draw(st.booleans())]
    return "{ " + "\n ".join(draw(st.permutations(picked))) + " }"


@st.composite
def documents(draw: st.DrawFn) -> Sent:
    """Valid ones, most of which are shared."""
    names = tuple(f"F{number}" for number in range(draw(st.integers(0, MAX_FRAGMENTS))))
    bodies = {name: draw(selections("Dam", names[number + 1 :], 1)) for number, name in enumerate(names)}
    body = draw(selections("Dam", names))
    (after, after_variable), (where, where_variable) = draw(st.sampled_from(AFTERS)), draw(st.sampled_from(WHERES))
    arguments = ", ".join(draw(st.permutations([argument for argument in (after, where) if argument])))
    alias = draw(st.sampled_from(["", "", "dam: "]))
    field = f"{alias}damAdded{f'({arguments})' if arguments else ''} {body}"
    root = draw(st.sampled_from([field] * 8 + [f"... {{ {field} }}", "...Root"]))
    if root == "...Root":
        bodies["Root"] = f"{{ {field} }}"
    used = used_fragments(root, bodies)
    text = " ".join([root, *(bodies[name] for name in used)])
    variables: dict[str, tuple[str, Any]] = after_variable | where_variable
    variables |= {flag: ("Boolean!", flag == "yes") for flag in FLAGS if f"${flag})" in text}
    definitions = ", ".join(f"${name}: {kind}" for name, (kind, _) in variables.items())
    name = draw(st.sampled_from(["", "", "Follow"]))
    query = f"subscription {name}{f'({definitions})' if definitions else ''} {{ {root} }}\n" + "\n".join(
        f"fragment {each} on {'Subscription' if each == 'Root' else 'Dam'} {bodies[each]}" for each in used
    )
    values = {name: value for name, (_, value) in variables.items() if value is not None}
    return Sent(query, values, name or None)


def used_fragments(text: str, bodies: Mapping[str, str]) -> list[str]:
    """Those that the text spreads, and that they spread themselves."""
    used = [name for name in bodies if f"...{name} " in text + " "]
    inner = [each for name in used for each in used_fragments(bodies[name], bodies)]
    return list(dict.fromkeys(used + inner))


WRONG_VALUES = [None, 5, "x", [], {}, {"nonsense": 1}, [None], True, {"heightFt": {"min": 2, "max": 1}}, "Ø"]


@st.composite
def mutilated(draw: st.DrawFn) -> Sent:
    """Documents in which something is wrong, as a rule."""
    sent = draw(documents())
    match draw(st.integers(0, 3)):
        case 0:
            words = sent.query.split(" ")
            del words[draw(st.integers(0, len(words) - 1))]
            return Sent(" ".join(words) or "{", sent.variables, sent.name)
        case 1:
            place = draw(st.integers(0, len(sent.query) - 1))
            return Sent(sent.query[:place] + sent.query[place + 1 :], sent.variables, sent.name)
        case 2:
            wrong = dict(sent.variables) or {"unknown": 1}
            name = draw(st.sampled_from(sorted(wrong)))
            wrong[name] = draw(st.sampled_from(WRONG_VALUES))
            return Sent(sent.query, wrong, sent.name)
        case _:
            return Sent(sent.query, {}, draw(st.sampled_from(["Other", "Follow", "", None])))

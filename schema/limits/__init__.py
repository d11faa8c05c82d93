"""How much one operation may ask for. docs/limits.md tells each limit to those who meet it.

What a document says (`figures.py`) is held against the limits before it is validated, what it costs (`cost.py`) and
what is sent along (`inputs.py`) before it is executed. Each fragment is looked at once, however often it is used.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    tokens: int
    depth: int
    aliases: int
    directives: int
    root_fields: int
    cost: int
    list_length: int
    """Of each list of an input."""
    vertices: int
    """Of a geometry."""
    introspection: bool
    """Whether the schema may be asked for, and errors may suggest what it has."""

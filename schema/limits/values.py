"""Arguments as far as limits depend on them: numbers, lists and objects. Never fails, whatever is written."""

from collections.abc import Mapping
from typing import Any

from graphql import FloatValueNode, IntValueNode, ListValueNode, ObjectValueNode, ValueNode, VariableNode


def value_of(node: ValueNode | None, variables: Mapping[str, Any]) -> Any:
    """None for what is something else. A variable is what was sent for it, of whatever type."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode | FloatValueNode):
        return float(node.value)  # Python refuses thousands of digits for an int
    if isinstance(node, ListValueNode):
        return [value_of(each, variables) for each in node.values]
    if isinstance(node, ObjectValueNode):
        return {field.name.value: value_of(field.value, variables) for field in node.fields}
    return None

"""How many random cases a test tries: few in `make test`, as many as are asked for in `make fuzz`."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings


def fuzz(cases: int) -> Callable[[Any], Any]:
    """Decorator of a test under `given`: so many cases, or `FUZZ_CASES` of the environment."""
    limits = settings(
        max_examples=int(os.environ.get("FUZZ_CASES", cases)),
        deadline=None,
        derandomize="FUZZ_CASES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: pytest.mark.fuzz(limits(test))

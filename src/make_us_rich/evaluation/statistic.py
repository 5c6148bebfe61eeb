"""A number that may be undefined: NaN where it is computed with, null where it is kept or told."""

import math
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer


def _nan_if_undefined(value: object) -> object:
    return math.nan if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def defined(value: float | None) -> float | None:
    """Return a number, or None where it is undefined."""
    return None if value is None or not math.isfinite(value) else value


Statistic = Annotated[
    float,
    BeforeValidator(_nan_if_undefined),
    PlainSerializer(defined, return_type=float | None, when_used="json"),
]
"""For records that are both computed with and kept as JSON, as pydantic reads and writes them."""

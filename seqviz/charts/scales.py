"""From values to pixels: linear and log scales with their ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seqviz.types import FloatArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisScale:
    """A straight or logarithmic map from values to pixels.

    Args:
        low, high: values at the ends, low < high; above 0 if log.
        start, end: their pixels.
        log: whether equal factors are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: FloatArray | float) -> FloatArray:
        """Pixels of values; what lies outside is drawn at the nearer end."""
        shown = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            shown, low, high = np.log(shown), math.log(low), math.log(high)
        return self.start + (shown - low) / (high - low) * (self.end - self.start)

    def ticks(self, count: int = 6) -> list[tuple[float, str]]:
        """About so many values with what is written beside them."""
        return _log_ticks(self.low, self.high, count) if self.log else _ticks(self.low, self.high, count)

    def to_dict(self) -> dict[str, float | bool]:
        """Plain values for the picture's module."""
        return {"low": self.low, "high": self.high, "start": self.start, "end": self.end, "log": self.log}


def log_limits(values: FloatArray, *, ceiling: float = math.inf) -> tuple[float, float]:
    """Ends of a log axis for positive finite values, a little beyond them, at most ``ceiling`` above.

    One to ten where there is nothing to show.
    """
    found = values[np.isfinite(values) & (values > 0)]
    if not len(found):
        return 1.0, 10.0
    low, high = float(found.min()), min(float(found.max()), ceiling)
    low, high = min(low, high) / 1.25, max(low, high) * 1.25
    return low, max(high, 2.0 * low)


def power_of_ten(exponent: int) -> str:
    """10⁻⁴ for -4; small ones plainly."""
    plain = {-2: "0.01", -1: "0.1", 0: "1", 1: "10", 2: "100", 3: "1000"}
    return plain.get(exponent, "10" + str(exponent).translate(_SUPERSCRIPTS))


def _ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    raw = (high - low) / max(1, count)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [(i * step, f"{i * step:g}") for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 2:
        marks = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
        return [(mark, f"{mark:g}") for mark in marks if low <= mark <= high]
    stride = max(1, -(-(last - first + 1) // count))
    return [(10.0**e, power_of_ten(e)) for e in range(first, last + 1, stride)]

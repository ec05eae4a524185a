"""How gradients become colours, widths and heights: over powers of ten, or as a share of the largest.

A gradient that went back a hundred steps may be 10⁻⁴⁰ of what it was: on a linear scale it would be a flat zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seqviz.types import FloatArray

Scale = Literal["log", "relative"]
SCALES: tuple[Scale, ...] = ("log", "relative")
FEWEST_DECADES, MOST_DECADES = 2, 12
"""Powers of ten that a scale spans; magnitudes below it are neutral."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientScale:
    """A scale for everything of one kind in one picture.

    Args:
        kind: ``"log"``: the strength of x is (log₁₀|x| - top) / decades + 1, at least 0; ``"relative"``: |x| / largest.
        largest: the largest magnitude in the picture.
        decades: that the log scale spans.
    """

    kind: Scale
    largest: float
    decades: int = MOST_DECADES

    @property
    def top(self) -> int:
        """Power of ten of the strongest colour on the log scale."""
        return math.ceil(math.log10(self.largest)) if self.largest > 0 else 0

    def codes(self, values: FloatArray) -> FloatArray:
        """Signed strengths from -1 to 1, of the shape of ``values``."""
        if self.largest <= 0:
            return np.zeros_like(values)
        if self.kind == "relative":
            return np.asarray((values / self.largest).clip(-1.0, 1.0))
        with np.errstate(divide="ignore"):
            strength = (np.log10(np.abs(values)) - self.top) / self.decades + 1
        return np.asarray(np.sign(values) * strength.clip(0.0, 1.0))

    def ends(self) -> tuple[str, str, str]:
        """What stands at the negative end, at the neutral middle and at the positive end of a legend."""
        if self.kind == "relative":
            high = scientific(self.largest)
            return f"−{high}", "0", high
        return f"−{power(self.top)}", f"< {power(self.top - self.decades)}", power(self.top)


def scale_of(arrays: Sequence[FloatArray], kind: Scale, *, smallest_share: float = 0.1) -> GradientScale:
    """One scale for all arrays together.

    Args:
        arrays: what it is for.
        kind: of the scale.
        smallest_share: part of the numbers that may lie below a log scale, which spans 2 to 12 powers of ten.
    """
    sizes = np.concatenate([np.abs(array).ravel() for array in arrays])
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return GradientScale(kind=kind, largest=0.0)
    scale = GradientScale(kind=kind, largest=float(sizes.max()))
    span = math.ceil(scale.top - float(np.log10(np.quantile(sizes, smallest_share))))
    return replace(scale, decades=min(max(span, FEWEST_DECADES), MOST_DECADES))


def power(exponent: int) -> str:
    """10⁻⁴ for -4; 1 and 10 as themselves."""
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(_SUPERSCRIPTS))


def scientific(value: float, digits: int = 2) -> str:
    """A number in a few signs: 0.032, 3.2·10⁻⁷; with a true minus sign."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e4:
        text = f"{float(f'{value:.{digits}g}'):g}"
    else:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        text = f"{mantissa}·{power(int(exponent))}"
    return text.replace("-", "−")


def compact(value: float) -> str:
    """A positive number in at most five signs for a narrow place: 0.03, 3e−7."""
    if value == 0:
        return "0"
    text = f"{value:.1g}" if 1e-2 <= value < 100 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("-", "−")


def scaled_floats(values: FloatArray) -> tuple[FloatArray, list[int]]:
    """float64 numbers for float32: each row divided by a power of two, so that its largest is near 1.

    Args:
        values: (step, unit).

    Returns:
        the divided rows, and the power of each: values = rows · 2^power, exact but for the rounding to float32.
    """
    largest = np.abs(values).max(1)
    powers = np.where(largest > 0, np.frexp(largest)[1], 0)
    return np.ldexp(values, -powers[:, None]), [int(power) for power in powers]

"""Numbers as they are shown: rounded, never rounded to what they are not."""

from __future__ import annotations

import math

from seqviz.charts.notation import Symbol

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def shown_number(value: float, digits: int = 4) -> Symbol:
    """A number with a given number of decimals, small ones with as many digits.

    Below 0.001 it is written as a power of ten; what would read 1 without being 1 (a saturated gate) is written as
    its distance from 1.

    Args:
        value: any number.
        digits: decimals, 1 to 17.
    """
    if not math.isfinite(value):
        text = "nan" if math.isnan(value) else ("∞" if value > 0 else "−∞")
        return Symbol(latex=rf"\text{{{text}}}", text=text)
    if value == 0:
        return Symbol(latex="0", text="0")
    magnitude, sign = abs(value), "−" if value < 0 else ""
    if magnitude < 1e-3 or magnitude >= 1e6:
        return _signed(sign, _scientific(magnitude, max(digits - 1, 1)))
    if magnitude != 1 and f"{magnitude:.{digits}f}" == f"{1:.{digits}f}":
        distance = _scientific(abs(1 - magnitude), 1)
        operator = " − " if magnitude < 1 else " + "
        near = Symbol(latex=f"1{operator.replace('−', '-')}{distance.latex}", text=f"1{operator}{distance.text}")
        return _signed(sign, _bracketed(near)) if sign else near
    zeros = max(0, -math.floor(math.log10(magnitude)) - 1)  # behind the point, before the first other digit
    plain = f"{magnitude:.{digits + zeros}f}"
    return _signed(sign, Symbol(latex=plain, text=plain))


def factor(number: Symbol) -> Symbol:
    """The number in brackets where it needs them to stand in a product."""
    return _bracketed(number) if number.text.startswith("−") or " " in number.text else number


def _bracketed(number: Symbol) -> Symbol:
    return Symbol(latex=f"({number.latex})", text=f"({number.text})")


def _signed(sign: str, number: Symbol) -> Symbol:
    return Symbol(latex=("-" if sign else "") + number.latex, text=sign + number.text)


def _scientific(magnitude: float, decimals: int) -> Symbol:
    mantissa, exponent = f"{magnitude:.{decimals}e}".split("e")
    power = str(int(exponent))
    return Symbol(latex=rf"{mantissa} \cdot 10^{{{power}}}", text=f"{mantissa} · 10{power.translate(_SUPERSCRIPTS)}")

"""The verdict of the error analysis in formulas and sentences (syllabus S6)."""

from __future__ import annotations

from seqviz.charts.notation import Notation
from seqviz.i18n import Translator, english
from seqviz.metrics.error_analysis import ErrorAnalysis


def definition_latex(notation: Notation, *, alpha: float) -> str:
    """What is compared: the log probability of a translation, over L^α where there is an α."""
    if notation == "d2l":
        term = r"\sum_{t'=1}^{L} \log P(y_{t'} \mid y_1, \ldots, y_{t'-1}, \mathbf{c})"
        left = r"\log P(\mathbf{y} \mid \mathbf{x})"
    else:
        now, before = r"y^{\langle t \rangle}", r"y^{\langle 1 \rangle}, \ldots, y^{\langle t-1 \rangle}"
        term = rf"\sum_{{t=1}}^{{L}} \log P({now} \mid x, {before})"
        left = r"\log P(y \mid x)"
    if not alpha:
        return f"{left} = {term}"
    return rf"\mathrm{{score}}(y) = \frac{{1}}{{L^{{{alpha:g}}}}} {left} = \frac{{1}}{{L^{{{alpha:g}}}}} {term}"


def verdict_latex(
    analysis: ErrorAnalysis, *, lengths: tuple[int, int], alpha: float, notation: Notation, same: bool
) -> str:
    """P(y*|x) against P(ŷ|x) with the numbers.

    Args:
        analysis: of both.
        lengths: L of y* and of ŷ.
        alpha: of the length normalisation.
        notation: of the formula.
        same: ŷ is y*.
    """
    bold = notation == "d2l"
    star, hat = (r"\mathbf{y}^*", r"\hat{\mathbf{y}}") if bold else ("y^*", r"\hat{y}")
    source = r"\mathbf{x}" if bold else "x"
    sign = "=" if same else ">" if analysis.verdict == "search" else r"\le"
    human, output = analysis.reference_log_prob, analysis.output_log_prob
    if not alpha:
        return rf"\log P({star} \mid {source}) = {human:.3f} \;{sign}\; {output:.3f} = \log P({hat} \mid {source})"
    left, right = (
        rf"\frac{{{total:.3f}}}{{{length}^{{{alpha:g}}}}}"
        for total, length in zip((human, output), lengths, strict=True)
    )
    return (
        rf"\mathrm{{score}}({star}) = {left} = {analysis.reference_score:.3f} \;{sign}\; "
        rf"{analysis.output_score:.3f} = {right} = \mathrm{{score}}({hat})"
    )


def verdict_title(analysis: ErrorAnalysis, *, same: bool, t: Translator = english) -> str:
    """Whose fault it is."""
    if same:
        return t("No error: the algorithm gave y* itself.")
    if analysis.verdict == "search":
        return t("The search is at fault.")
    return t("The model is at fault.")


def verdict_reason(
    analysis: ErrorAnalysis, *, beam_size: int, alpha: float, same: bool, t: Translator = english
) -> str:
    """Why, in one sentence."""
    if same:
        return t("The search found the human's translation, so there is nothing to blame.")
    margin = abs(analysis.margin)
    what = t("its score") if alpha else "log P"
    if analysis.verdict == "search":
        return t(
            "The model prefers y* ({what} is higher by {margin:.3f}), yet the beam of {size} did not find it."
        ).format(what=what, margin=margin, size=beam_size)
    if not margin:
        return t("The model likes both alike, so a better search would have no reason to take y*.")
    return t(
        "The model prefers ŷ ({what} is higher by {margin:.3f}): a better search would not take y* either."
    ).format(what=what, margin=margin)


def verdict_advice(analysis: ErrorAnalysis, *, same: bool, t: Translator = english) -> str:
    """What would help."""
    if same:
        return t("Try a longer sentence, or a translation of your own that says the same in other words.")
    if analysis.verdict == "search":
        return t("What helps: a wider beam (a larger B), or an exact search. Training will not.")
    return t(
        "What helps: more or better data, regularisation, another architecture, or another α if a length is to blame. "
        "A wider beam will not."
    )

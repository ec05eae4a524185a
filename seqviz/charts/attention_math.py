"""One cell of an attention map as mathematics: equations in both notations, live numbers, the same in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from seqviz.attention import AttentionStep
from seqviz.charts.notation import Notation, escaped, visible
from seqviz.charts.numbers import factor, shown_number
from seqviz.config import SCORE_NAMES
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.i18n import Translator, english, msgid

SCORE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "additive": msgid("additive: a small network (Bahdanau et al. 2015)"),
        "dot": msgid("dot product, no parameters (Luong et al. 2015)"),
        "scaled_dot": msgid("scaled dot product of projected states (Vaswani et al. 2017)"),
        "bilinear": msgid("bilinear, one matrix between the states (Luong et al. 2015)"),
        "cosine": msgid("cosine of projected states, sharpened by β (Graves et al. 2014)"),
    }
)

# s is the decoder's state, h the encoder's; {s} and {h} are written in the reader's notation.
_SCORES: Mapping[str, str] = MappingProxyType(
    {
        "additive": r"v^\top \tanh(W {s} + U {h} + b)",
        "dot": r"{s} \cdot {h}",
        "scaled_dot": r"\frac{{(W {s}) \cdot (U {h})}}{{\sqrt{{d}}}}",
        "bilinear": r"{{{s}}}^\top W {h}",
        "cosine": r"\beta \frac{{(W {s}) \cdot (U {h})}}{{\lVert W {s} \rVert \, \lVert U {h} \rVert}}",
    }
)

_SNIPPETS: Mapping[str, str] = MappingProxyType(
    {
        "additive": "e = torch.tanh(score.query(s) + score.key(h)) @ score.weight.weight[0]",
        "dot": "e = h @ s",
        "scaled_dot": "e = score.key(h) @ score.query(s) / score.attention_size**0.5",
        "bilinear": "e = score.key(h) @ s",
        "cosine": "e = score.log_sharpness.exp() * torch.cosine_similarity(score.query(s), score.key(h), dim=-1)",
    }
)

TERM_NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "additive": ("v", "tanh(W s + U h + b)"),
        "dot": ("s", "h"),
        "scaled_dot": ("W s", "U h"),
        "bilinear": ("s", "W h"),
        "cosine": ("W s / ‖W s‖", "U h / ‖U h‖"),
    }
)
"""What ``AttentionStep.left`` and ``right`` hold for each score function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionSymbols:
    """How a notation writes the quantities of one cell, as LaTeX."""

    state: str
    encoder: str
    score: str
    weight: str
    context: str


def attention_symbols(notation: Notation, *, t: str | int = "t", source: str | int = "t'") -> AttentionSymbols:
    """The symbols for step ``t`` of the target and step ``source`` of the source.

    Args:
        notation: ``"ng"``: a^⟨t'⟩, α^⟨t,t'⟩, c^⟨t⟩; ``"d2l"``: h_{t'}, α(s_t, h_{t'}), c_t.
        t, source: as they are to be written.
    """
    if notation == "ng":
        return AttentionSymbols(
            state=rf"s^{{\langle {t} \rangle}}",
            encoder=rf"a^{{\langle {source} \rangle}}",
            score=rf"e^{{\langle {t},{source} \rangle}}",
            weight=rf"\alpha^{{\langle {t},{source} \rangle}}",
            context=rf"c^{{\langle {t} \rangle}}",
        )
    state, encoder = rf"\mathbf{{s}}_{{{t}}}", rf"\mathbf{{h}}_{{{source}}}"
    return AttentionSymbols(
        state=state,
        encoder=encoder,
        score=rf"a({state}, {encoder})",
        weight=rf"\alpha({state}, {encoder})",
        context=rf"\mathbf{{c}}_{{{t}}}",
    )


def attention_equations(score: str, *, notation: Notation) -> tuple[str, ...]:
    """Score, weights, context and output of a model's attention as LaTeX; raises UnknownNameError for another score."""
    if score not in _SCORES:
        raise unknown_name("score", score, SCORE_NAMES)
    one = attention_symbols(notation)
    other = attention_symbols(notation, source="j")
    return (
        rf"{one.score} = {_SCORES[score].format(s=one.state, h=one.encoder)}",
        rf"{one.weight} = \frac{{\exp {one.score}}}{{\sum_{{j}} \exp {other.score}}}",
        rf"{one.context} = \sum_{{t'}} {one.weight} \, {one.encoder}",
    )


def filled_cell(step: AttentionStep, column: int, *, unit: int = 0, notation: Notation) -> tuple[str, ...]:
    """The same equations with the live numbers of one cell, as LaTeX.

    Args:
        step: the step.
        column: the source piece.
        unit: the component of the context that is written out.
        notation: the reader's.
    """
    check_cell(step, column, unit)
    now = attention_symbols(notation, t=step.step + 1, source=column + 1)
    e, alpha = (shown_number(float(values[column])) for values in (step.scores, step.weights))
    scores = np.asarray(step.scores, np.float64)
    total = shown_number(float(np.exp(scores).sum())) if scores.max() < 80 else None
    power = shown_number(float(np.exp(scores[column]))) if total else None
    share = rf"\frac{{\exp({e.latex})}}{{\sum_j \exp e_j}}"
    if total and power:
        share += rf" = \frac{{{power.latex}}}{{{total.latex}}}"
    weights = np.asarray(step.weights, np.float64)
    products = weights * np.asarray(step.encoder_states[:, unit], np.float64)
    biggest = np.argsort(-np.abs(products))[:3]
    terms = " + ".join(_product(float(weights[index]), float(step.encoder_states[index, unit]), 4) for index in biggest)
    own = escaped(visible(step.target.pieces[step.step]))
    rest = r" + \cdots" if len(products) > 3 else ""
    return (
        rf"{now.score} = {_sum_of_terms(step, column)} = {e.latex}",
        rf"{now.weight} = {share} = {alpha.latex}",
        rf"{now.context}[{unit}] = {terms}{rest} = {shown_number(float(step.context[unit])).latex}",
        rf"P(\text{{{own}}}) = {shown_number(float(np.exp(step.log_prob))).latex}",
    )


def _sum_of_terms(step: AttentionStep, column: int) -> str:
    """The score's two biggest addends with their numbers."""
    products = np.asarray(step.left, np.float64) * np.asarray(step.right[column], np.float64)
    shown = [_product(float(step.left[k]), float(step.right[column, k]), 3) for k in np.argsort(-np.abs(products))[:2]]
    inner = " + ".join(shown) + (r" + \cdots" if len(products) > 2 else "")
    return inner if step.factor == 1 else rf"{shown_number(step.factor).latex}\,({inner})"


def _product(left: float, right: float, digits: int) -> str:
    return rf"{factor(shown_number(left, digits)).latex} \cdot {factor(shown_number(right, digits)).latex}"


def score_terms(step: AttentionStep, column: int) -> list[dict[str, float | int]]:
    """The addends of one score, the biggest first: component, left, right, product with the factor in it."""
    check_cell(step, column, 0)
    left, right = np.asarray(step.left, np.float64), np.asarray(step.right[column], np.float64)
    products = step.factor * left * right
    return [
        {"component": int(k), "left": float(left[k]), "right": float(right[k]), "product": float(products[k])}
        for k in np.argsort(-np.abs(products))
    ]


def cell_sentence(step: AttentionStep, column: int, *, t: Translator = english) -> str:
    """One cell in words."""
    return t("To write {target}, the decoder gives {percent} of its attention to {source}.").format(
        target=visible(step.target.pieces[step.step]),
        source=visible(step.source.pieces[column]),
        percent=f"{100 * float(step.weights[column]):.1f} %",
    )


def attention_snippet(step: AttentionStep, column: int) -> str:
    """The cell once more in PyTorch: loads the checkpoint, runs to this step, prints score, weight, context and P."""
    from seqviz.text.piece_encoder import BOS_ID

    check_cell(step, column, 0)
    written = [BOS_ID, *step.target.ids[: step.step]]
    own = step.target.ids[step.step]
    return f"""import torch
from seqviz.models.loading import load_translator

model = load_translator({step.model!r}).model
score = model.score  # {step.score}
with torch.inference_mode():
    memory = model.encode(torch.tensor([{list(step.source.ids)}]))
    carries = memory.first
    for piece in {written}:  # <bos> and the pieces written so far
        out = model.step(memory, carries, torch.tensor([piece]))
        carries = out.carries
    s = carries[0][0][0]  # the decoder's state, (unit,)
    h = memory.values[0]  # the encoder's states, (source, unit)
    {_SNIPPETS[step.score]}
    alpha = torch.softmax(e, -1)
    c = alpha @ h  # the context, (unit,)
    print(e[{column}].item(), alpha[{column}].item(), c[0].item(), out.log_probs[0, {own}].exp().item())
"""


def check_cell(step: AttentionStep, column: int, unit: int) -> None:
    """Raises InvalidInputError if there is no such source piece or component."""
    for field, value, count in (("column", column, len(step.source)), ("unit", unit, len(step.context))):
        if not 0 <= value < count:
            raise InvalidInputError(
                "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
            )

"""The notations of the product: how every quantity is written, as LaTeX and as plain text.

``"ng"``   Andrew Ng's course: a^⟨t⟩, c^⟨t⟩, Γ_u, Γ_f, Γ_o, Γ_r, stacked weights W_u[a^⟨t-1⟩, x^⟨t⟩].
``"d2l"``  Dive into Deep Learning: row vectors H_t, C_t, X_t, gates R, Z, I, F, O, weights X_t W_xi + H_{t-1} W_hi.

Steps are numbered from t = 1 in both, so step ``s`` of a trace is written t = s + 1, and the state before it is t = s.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from seqviz.config import CELL_NAMES
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english, msgid
from seqviz.types import Direction

Notation = Literal["ng", "d2l"]
NOTATIONS: tuple[Notation, ...] = ("ng", "d2l")

QUANTITY_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "input": msgid("input"),
        "input_gate": msgid("input gate"),
        "forget_gate": msgid("forget gate"),
        "output_gate": msgid("output gate"),
        "reset_gate": msgid("reset gate"),
        "update_gate": msgid("update gate"),
        "write_gate": msgid("write gate (1 − update gate)"),
        "candidate": msgid("candidate"),
        "cell_state": msgid("cell state"),
        "hidden_state": msgid("hidden state"),
        "pre_activation": msgid("pre-activation"),
        "output": msgid("output"),
        "loss": msgid("loss"),
    }
)
"""Every quantity of the product with its English name. ``write_gate`` is 1 - update_gate, what Ng's Γ_u is."""

QUANTITIES: tuple[str, ...] = tuple(QUANTITY_NAMES)

_LATEX_OF = {
    "σ": r"\sigma",
    "·": r"\cdot",
    "⊙": r"\odot",
    "−": "-",
    "Σ": r"\sum",
    "tanh": r"\tanh",
    "softmax": r"\operatorname{softmax}",
    "ReLU": r"\operatorname{ReLU}",
    "LeakyReLU": r"\operatorname{LeakyReLU}",
    "ELU": r"\operatorname{ELU}",
    "log": r"\log ",
}
_WORDS_BY_LENGTH = sorted(_LATEX_OF, key=len, reverse=True)
_SUBSCRIPTS = str.maketrans("0123456789+-−taehijklmnoprsuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋ₜₐₑₕᵢⱼₖₗₘₙₒₚᵣₛᵤᵥₓ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A piece of mathematics in two forms.

    Args:
        latex: for KaTeX.
        text: plain Unicode, for labels, alt text and copying.
    """

    latex: str
    text: str

    def coloured(self, colour: str) -> Symbol:
        """The same with its LaTeX in a colour, given as ``#rrggbb``."""
        return Symbol(latex=rf"\textcolor{{{colour}}}{{{self.latex}}}", text=self.text)


def join(*parts: Symbol | str) -> Symbol:
    """Writes symbols and operators one after another; operators are given as plain text (``" ⊙ "``, ``"σ("``)."""
    return Symbol(
        latex="".join(part.latex if isinstance(part, Symbol) else _operator(part) for part in parts),
        text="".join(part.text if isinstance(part, Symbol) else part for part in parts),
    )


def _operator(text: str) -> str:
    result, rest = "", text
    while rest:
        word = next((word for word in _WORDS_BY_LENGTH if rest.startswith(word)), None)
        result += rest[0] if word is None else _LATEX_OF[word]
        rest = rest[1 if word is None else len(word) :]
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """How one notation writes a quantity before any index: accent, letter and mark."""

    letter: str
    mark: str = ""
    accent: str = ""


_TEXT_ACCENTS = {"": "", "tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}

_NG = {
    "input": _Letter(letter="x"),
    "input_gate": _Letter(letter="Γ", mark="u"),
    "forget_gate": _Letter(letter="Γ", mark="f"),
    "output_gate": _Letter(letter="Γ", mark="o"),
    "reset_gate": _Letter(letter="Γ", mark="r"),
    "write_gate": _Letter(letter="Γ", mark="u"),
    "candidate": _Letter(letter="c", accent="tilde"),
    "cell_state": _Letter(letter="c"),
    "hidden_state": _Letter(letter="a"),
    "output": _Letter(letter="y", accent="hat"),
    "loss": _Letter(letter="L"),
}
_D2L = {
    "input": _Letter(letter="X"),
    "input_gate": _Letter(letter="I"),
    "forget_gate": _Letter(letter="F"),
    "output_gate": _Letter(letter="O"),
    "reset_gate": _Letter(letter="R"),
    "update_gate": _Letter(letter="Z"),
    "candidate": _Letter(letter="C", accent="tilde"),
    "cell_state": _Letter(letter="C"),
    "hidden_state": _Letter(letter="H"),
    "output": _Letter(letter="O"),
    "loss": _Letter(letter="l"),
}


def symbol(
    quantity: str,
    *,
    notation: Notation,
    cell: str = "lstm",
    block: str = "candidate",
    time: str | int | None = "t",
    unit: int | str | None = None,
    layer: int | None = None,
    direction: Direction | None = None,
) -> Symbol:
    """How a notation writes a quantity.

    Args:
        quantity: one of ``QUANTITIES``.
        notation: ``"ng"`` or ``"d2l"``.
        cell: one of ``seqviz.config.CELL_NAMES``; a candidate is c̃ in an LSTM and H̃ in d2l's GRU, and so on.
        block: of a pre-activation, one of the cell's block names.
        time: index of the step as it is to be written (``"t"``, ``"t-1"``, 3); None for none.
        unit: component, counted from 0 as in the trace, or the label of an output; None for the whole vector.
        layer: counted from 0, written from 1; None for none.
        direction: draws an arrow over the letter; None for none.

    Returns:
        The symbol. The update gate of a trace keeps the old state: it is Z in d2l and 1 - Γ_u in Ng's notation.

    Raises:
        UnknownNameError: an unknown quantity, notation or cell.
    """
    _check(quantity, notation, cell)

    def indexed(letter: _Letter) -> Symbol:
        return _indexed(letter, notation=notation, time=time, unit=unit, layer=layer, direction=direction)

    gate = _letters(notation, cell)
    if quantity == "update_gate" and notation == "ng":
        return join("1−", indexed(gate["write_gate"]))
    if quantity == "write_gate" and notation == "d2l":
        return join("1−", indexed(gate["update_gate"]))
    if quantity == "pre_activation":
        return indexed(_pre_activation(block, notation, cell))
    return indexed(gate[quantity])


def quantity_name(quantity: str, t: Translator = english) -> str:
    """A quantity in words: ``"forget gate"``."""
    if quantity not in QUANTITY_NAMES:
        raise unknown_name("quantity", quantity, QUANTITY_NAMES)
    return t(QUANTITY_NAMES[quantity])


def _check(quantity: str, notation: str, cell: str) -> None:
    for field, value, known in (
        ("quantity", quantity, QUANTITIES),
        ("notation", notation, NOTATIONS),
        ("cell", cell, CELL_NAMES),
    ):
        if value not in known:
            raise unknown_name(field, value, known)


def _letters(notation: Notation, cell: str) -> dict[str, _Letter]:
    if notation == "ng":
        # A plain cell has no c̃: what it computes is its new state.
        return {**_NG, "candidate": _NG["hidden_state"]} if cell.startswith("rnn_") else _NG
    if cell.startswith("lstm"):
        return {**_D2L, "output": _Letter(letter="Y", accent="hat")}  # O_t is the output gate here
    accent = "" if cell.startswith("rnn_") else "tilde"
    return {**_D2L, "candidate": _Letter(letter="H", accent=accent)}


def _pre_activation(block: str, notation: Notation, cell: str) -> _Letter:
    """Ng's course writes z with the name of the block; d2l has no symbol: here the letter under a bar."""
    letters = _letters(notation, cell)
    name = "write_gate" if notation == "ng" and block == "update_gate" else block
    if name not in letters:
        raise unknown_name("block", block, [name for name in letters if name.endswith("gate") or name == "candidate"])
    if notation == "ng":
        return _Letter(letter="z", mark=letters[name].mark or letters[name].letter)
    return _Letter(letter=letters[name].letter, accent="bar")


def _indexed(
    letter: _Letter,
    *,
    notation: Notation,
    time: str | int | None,
    unit: int | str | None,
    layer: int | None,
    direction: Direction | None,
) -> Symbol:
    latex = r"\Gamma" if letter.letter == "Γ" else letter.letter
    if letter.letter == "L":
        latex = r"\mathcal{L}"
    if notation == "d2l" and unit is None and letter.letter != "l":
        latex = rf"\mathbf{{{latex}}}"  # matrices are bold, their components are not
    latex = rf"\{letter.accent}{{{latex}}}" if letter.accent else latex
    text = unicodedata.normalize("NFC", letter.letter + _TEXT_ACCENTS[letter.accent])
    if direction is not None:
        latex = rf"\over{'right' if direction == 'forward' else 'left'}arrow{{{latex}}}"
        text += "→" if direction == "forward" else "←"
    component = rf"\text{{{escaped(visible(unit))}}}" if isinstance(unit, str) else unit
    if notation == "ng":
        below = ",".join(str(index) for index in (letter.mark or None, component) if index is not None)
        above = ("" if layer is None else f"[{layer + 1}]") + ("" if time is None else rf"\langle {time}\rangle")
        text += f"_{letter.mark}" if letter.mark else ""
        text += ("" if layer is None else f"[{layer + 1}]") + ("" if time is None else f"⟨{time}⟩".replace("-", "−"))
    else:
        below = ",".join(str(index) for index in (time, component) if index is not None)
        above = "" if layer is None else f"({layer + 1})"
        text += ("" if layer is None else f"({layer + 1})") + ("" if time is None else subscript(str(time)))
    latex += (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    return Symbol(latex=latex, text=text + ("" if unit is None else f" [{visible(str(unit))}]"))


def subscript(text: str) -> str:
    """Unicode subscripts where every character has one (``"t-1"`` -> ``"ₜ₋₁"``), else ``_text``."""
    lowered = text.translate(_SUBSCRIPTS)
    return lowered if not set(lowered) & set(text) else f"_{text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSymbols:
    """The weights of one block.

    Args:
        input: matrix of the input.
        hidden: matrix of the state before.
        stacked: both side by side, for [a, x]; None in d2l, which does not stack.
        bias: their bias (the sum of the two that PyTorch keeps).
        bias_input, bias_hidden: the two apart, for a reset gate that acts after the product.
        peephole: weights of the cell state.
    """

    input: Symbol
    hidden: Symbol
    stacked: Symbol | None
    bias: Symbol
    bias_input: Symbol
    bias_hidden: Symbol
    peephole: Symbol


def weight_symbols(block: str, *, notation: Notation, cell: str) -> WeightSymbols:
    """How a notation writes the weights and biases of a block.

    Args:
        block: a block name of the cell, or ``"output"`` for the layer that reads the hidden state.
        notation: ``"ng"`` or ``"d2l"``.
        cell: one of ``seqviz.config.CELL_NAMES``.
    """
    _check("hidden_state", notation, cell)
    letters = _letters(notation, cell)
    if notation == "ng":
        state = "c" if cell.startswith("gru") else "a"
        mark = {"output": "y", "update_gate": "u"}.get(block) or letters[block].mark or letters[block].letter
        hidden = "a" if block == "output" else state
        return _weights(f"{mark}x", mark + hidden, mark, mark, notation)
    mark = "q" if block == "output" else letters[block].letter.lower()
    return _weights(f"x{mark}", f"h{mark}", None, mark, notation)


def _weights(input_: str, hidden: str, stacked: str | None, bias: str, notation: Notation) -> WeightSymbols:
    def named(letter: str, mark: str) -> Symbol:
        latex = rf"\mathbf{{{letter}}}" if notation == "d2l" else letter
        return Symbol(latex=f"{latex}_{{{mark}}}", text=f"{letter}_{mark}")

    return WeightSymbols(
        input=named("W", input_),
        hidden=named("W", hidden),
        stacked=None if stacked is None else named("W", stacked),
        bias=named("b", bias),
        bias_input=named("b", input_),
        bias_hidden=named("b", hidden),
        peephole=named("p", bias),
    )


def conventions(cell: str, *, notation: Notation, t: Translator = english) -> tuple[str, ...]:
    """What a reader must know to read the symbols rightly: the conventions in use, in words.

    Args:
        cell: one of ``seqviz.config.CELL_NAMES``.
        notation: ``"ng"`` or ``"d2l"``.
        t: the reader's language.
    """
    _check("hidden_state", notation, cell)
    sentences = [_gate_convention(cell, notation, t), _reset_convention(cell, t), _lstm_convention(cell, t)]
    if notation == "d2l":
        sentences.append(t("Vectors are rows and stand to the left of their weights: X W."))
        if cell.startswith("lstm"):
            sentences.append(t("Oₜ is the output gate; the output of the network is Ŷₜ."))
    sentences.append(t("PyTorch keeps two bias vectors, one for each product; b is their sum."))
    sentences.append(t("Steps count from t = 1; every state before the first step is 0."))
    return tuple(sentence for sentence in sentences if sentence)


def _gate_convention(cell: str, notation: Notation, t: Translator) -> str:
    if cell.startswith("gru"):
        if notation == "ng":
            return t(
                "Γ_u writes: 1 takes the candidate, 0 keeps the old state. It is 1 − z, where z is the update gate of "
                "PyTorch and d2l, which keeps; so W_u and b_u are the negatives of the stored weights. In a GRU "
                "c⟨t⟩ and a⟨t⟩ are the same."
            )
        return t("Zₜ keeps: 1 keeps the old state, 0 takes the candidate. Ng's Γ_u writes: Γ_u = 1 − Z.")
    if cell.startswith("lstm") and notation == "ng":
        return t("Γ_u is the input gate: it and the forget gate Γ_f are two separate gates.")
    return ""


def _reset_convention(cell: str, t: Translator) -> str:
    if cell == "gru":
        return t("The reset gate acts after the recurrent matrix product, as in torch.nn.GRU.")
    if cell == "gru_reset_before":
        return t("The reset gate acts on the state before the recurrent matrix product, as in Cho et al. 2014.")
    if cell == "gru_simplified":
        return t("This simplified GRU has no reset gate.")
    return ""


def _lstm_convention(cell: str, t: Translator) -> str:
    if cell == "lstm_linear_output":
        return t("In this variant the output gate acts on the cell state itself, without a tanh.")
    if cell == "lstm_peephole":
        return t(
            "Peepholes p let the gates see the cell state: input and forget gate the old one, the output gate the new."
        )
    return ""


def visible(piece: str) -> str:
    """A piece of text with its blanks made visible: space ␣, line break ⏎, tabulator ⇥."""
    return piece.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


def escaped(text: str) -> str:
    """Any text so that it may stand inside LaTeX's \\text{...}."""
    return "".join(_ESCAPES.get(character, character) for character in text)


_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "$": r"\textdollar{}",  # an escaped dollar would still end a formula inside Markdown
    **{character: f"\\{character}" for character in "#%&_{}"},
}


def as_notation(name: str) -> Notation:
    """Checks the name of a notation; raises UnknownNameError with the known ones."""
    if name not in NOTATIONS:
        raise unknown_name("notation", name, NOTATIONS)
    return name

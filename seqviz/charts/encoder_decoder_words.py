"""What the encoder-decoder's picture says: symbols in both notations, a sentence on both runs, the alternative text."""

from __future__ import annotations

import math

import numpy as np

from seqviz.charts.notation import Notation, Symbol, subscript, symbol
from seqviz.charts.numbers import shown_number
from seqviz.charts.piece_words import piece_label, piece_labels
from seqviz.charts.svg import clean
from seqviz.i18n import Translator, english
from seqviz.translation_network import DecoderRun, RunName, TranslationNetwork
from seqviz.types import Direction

_D2L_LETTERS = {"s": "S", "c": "C", "x": "X", "o": "O"}


def decoder_symbol(letter: str, *, notation: Notation, time: str | int, layer: int | None = None) -> Symbol:
    """A vector of the decoder: s, c, x or o.

    Args:
        letter: s for a state, c for the context, x for the input, o for what the softmax reads.
        notation: ``"ng"`` or ``"d2l"``.
        time: index of the step as written.
        layer: counted from 0, written from 1; None for none.
    """
    if notation == "ng":
        above = ("" if layer is None else f"[{layer + 1}]") + rf"\langle {time}\rangle"
        mark = "" if layer is None else f"[{layer + 1}]"
        return Symbol(latex=f"{letter}^{{{above}}}", text=f"{letter}{mark}⟨{time}⟩".replace("-", "−"))
    above, mark = ("", "") if layer is None else (f"^{{({layer + 1})}}", f"({layer + 1})")
    bold = _D2L_LETTERS[letter]
    return Symbol(latex=rf"\mathbf{{{bold}}}_{{{time}}}{above}", text=f"{bold}{mark}{subscript(str(time))}")


def layer_index(network: TranslationNetwork, layer: int) -> int | None:
    """The layer as a symbol writes it: not at all where the decoder has only one."""
    return layer if len(network.free.layers) > 1 else None


def encoder_symbol(
    network: TranslationNetwork, *, notation: Notation, time: str | int, direction: Direction, layer: int = 0
) -> Symbol:
    """A state of the encoder."""
    deep = max(part.layer for part in network.encoder) > 0
    return symbol(
        "hidden_state",
        notation=notation,
        cell=network.encoder[0].cell,
        time=time,
        layer=layer if deep else None,
        direction=direction,
    )


def run_title(network: TranslationNetwork, name: RunName, t: Translator) -> tuple[str, str]:
    """What a run is, and in a few words how it is fed."""
    if name == "forced":
        return t("Teacher forcing"), t("every step is fed the right piece before it, whatever the model says")
    if network.beam_size > 1:
        return t("Free running"), t("every step is fed the model's own piece, found by a beam of {count}").format(
            count=network.beam_size
        )
    return t("Free running"), t("every step is fed the model's own most probable piece")


def pair_sentence(network: TranslationNetwork, t: Translator = english) -> str:
    """What happened on this pair, in a plain sentence or two."""
    forced, free = network.forced, network.free
    if forced is None:
        return t(
            "Fed its own pieces the model writes “{text}”. A reference is missing: there is nothing to force."
        ).format(text=clean(free.target.text))
    step = network.parted
    if step is None:
        return t(
            "Left to itself the model writes the reference, piece by piece: both runs are fed the same, and their "
            "states are equal at every step."
        )
    first = _parting(network, forced, step, t)
    later = slice(step + 1, min(len(forced), len(free)))
    distances = network.distances()[later]
    if not len(distances):
        return first
    return f"{first} " + t(
        "From there on it is fed its own pieces: its state is up to {distance} away from the forced one, at the end "
        "{last}, and the {count} right pieces that follow cost it {free} nats instead of {forced}."
    ).format(
        distance=f"{distances.max():.2f}",
        last=f"{distances[-1]:.2f}",
        count=len(distances),
        free=f"{-np.nansum(free.right_log_probs[later]):.2f}",
        forced=f"{-forced.log_probs[later].sum():.2f}",
    )


def _parting(network: TranslationNetwork, forced: DecoderRun, step: int, t: Translator) -> str:
    free = network.free
    if step >= len(free):
        return t("The free run was cut at its greatest length, {count} pieces.").format(count=len(free))
    if step >= len(forced):
        return t("The free run writes the reference and then goes on.")
    return t(
        "The runs part at step {step}: the reference goes on with ‘{right}’ (P = {right_share}), the model by itself "
        "with ‘{own}’ (P = {own_share})."
    ).format(
        step=step + 1,
        right=piece_labels(forced.target)[step],
        own=piece_labels(free.target)[step],
        right_share=shown_number(math.exp(forced.log_probs[step]), 3).text,
        own_share=shown_number(math.exp(free.log_probs[step]), 3).text,
    )


def pair_alt(network: TranslationNetwork, t: Translator = english) -> str:
    """The picture in words."""
    directions = len({part.direction for part in network.encoder})
    parts = [
        t("Encoder-decoder {model}: the encoder reads “{text}” in {count} pieces, {directions} directions.").format(
            model=network.model, text=clean(network.source.text), count=len(network.source), directions=directions
        ),
        t("Its last states start {layers} decoder layers.").format(layers=len(network.free.layers)),
        t("Without attention: the source reaches the decoder only through this hand-over.")
        if network.free.attention is None
        else t("Attention weights lead from the source to the context of the step in focus."),
        pair_sentence(network, t),
    ]
    return " ".join(parts)


def top_candidates(network: TranslationNetwork, run: DecoderRun, step: int) -> list[tuple[str, float]]:
    """The most probable pieces of a step with their probabilities."""
    return [
        (piece_label(network.names[int(token)]), math.exp(log_prob))
        for token, log_prob in zip(run.candidate_tokens[step], run.candidate_log_probs[step], strict=True)
    ]

"""Translations: the encoder-decoder unrolled, and the sum behind each of its numbers."""

from __future__ import annotations

from functools import partial

from seqviz.backends.translation_requests import NetworkRequest, NetworkSumRequest
from seqviz.charts.encoder_decoder import encoder_decoder_figure
from seqviz.charts.encoder_decoder_layout import resolved_pair_focus
from seqviz.charts.figure import Figure
from seqviz.charts.network_sums import network_sum_chart
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture, check_step
from seqviz.translation_network import SumQuantity, TranslationNetwork
from seqviz.types import Direction


def encoder_decoder(
    model: str, text: str, *, reference: str = "", beam_size: int = 1, appearance: Appearance = DEFAULT
) -> Figure:
    """The source read, the state handed over, the target written twice: by teacher forcing and free.

    Args:
        model: name of a translation checkpoint.
        text: the source.
        reference: the right translation, fed by teacher forcing; empty for the free run alone.
        beam_size: of the search that finds the free run; 1 is greedy.
        appearance: how it looks.
    """
    network = ask(NetworkRequest(model=model, text=text, reference=reference, beam_size=beam_size))
    options = UnrollOptions(font_size=appearance.font_size, notation=appearance.notation)
    return encoder_decoder_figure(network, options=options, t=appearance.t, language=appearance.tag)


def network_sum(
    model: str,
    text: str,
    *,
    quantity: SumQuantity = "state",
    reference: str = "",
    beam_size: int = 1,
    layer: int | None = None,
    direction: Direction = "forward",
    unit: int | None = None,
    step: int | None = None,
    block: str = "",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The sum behind one number of ``encoder_decoder``: weight times what it weighs.

    Args:
        model, text, reference, beam_size: as in ``encoder_decoder``; the decoder's numbers are those of the free run.
        quantity: ``"encoder"``, ``"hand_over"``, ``"state"``, ``"context"``, ``"readout"`` or ``"logit"``.
        layer, direction, unit, step: which number, from 0; None for the app's own choice. The unit of a logit is the
            id of a piece; None for the one that is written.
        block: of a state; empty for the cell's first.
        appearance: how it looks.

    Raises:
        InvalidInputError, UnknownNameError: the network has no such number.
    """
    asked = NetworkRequest(model=model, text=text, reference=reference, beam_size=beam_size)
    network = ask(asked)
    encoder, focus = quantity == "encoder", resolved_pair_focus(network, None)
    steps, parts = (len(network.source), network.encoder) if encoder else (len(network.free), network.free.layers)
    if step is None:
        step = 0 if quantity in {"encoder", "hand_over"} else min(focus.step - len(network.source) - 1, steps - 1)
    check_step(step, steps)
    blocks = {"encoder": parts[0].block_names[0], "state": parts[0].block_names[0], "hand_over": "hidden_state"}
    taken = ask(
        NetworkSumRequest(
            network=asked,
            quantity=quantity,
            unit=_sum_unit(network, quantity, focus.unit, step) if unit is None else unit,
            step=step,
            layer=max(part.layer for part in parts) if layer is None else layer,
            direction=direction,
            block=block or blocks.get(quantity, ""),
        )
    )
    return chart_picture(partial(network_sum_chart, network, taken), title=f"{model}: {text}", appearance=appearance)


def _sum_unit(network: TranslationNetwork, quantity: SumQuantity, unit: int, step: int) -> int:
    """The unit in focus, or what stands in its place in a vector of another length; of a logit the written piece."""
    if quantity == "logit":
        return network.free.target.ids[step]
    context = network.free.context
    sizes = {
        "encoder": network.encoder[0].num_units,
        "context": unit + 1 if context is None else context.shape[1],
        "readout": network.free.readout.shape[1],
    }
    return unit % sizes.get(quantity, unit + 1)

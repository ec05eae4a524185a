"""The encoder-decoder unrolled: the source read on the left, the state handed over, the target written on the right.

The decoder stands twice over the same columns: fed the reference (teacher forcing), and fed its own pieces (syllabus
R3, S1). One renderer for page, notebook and file; ``assets/encoder_decoder.js`` adds hovering, keys and play.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

import numpy as np

from seqviz.charts.encoder_decoder_layout import PairFocus, ground_plan, resolved_pair_focus
from seqviz.charts.encoder_decoder_links import (
    SHARE_SHOWN,
    draw_comparison,
    draw_hand_over,
    draw_parting,
    draw_ribbons,
    largest_left_out,
)
from seqviz.charts.encoder_decoder_parts import (
    EncoderPlace,
    Picture,
    RunPlace,
    draw_encoder,
    draw_run,
    encoder_height,
    run_height,
)
from seqviz.charts.encoder_decoder_words import pair_alt, run_title, top_candidates
from seqviz.charts.figure import Figure
from seqviz.charts.piece_words import piece_labels
from seqviz.charts.stage import interaction_texts
from seqviz.charts.svg import clean, esc, group, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.charts.unroll_legend import colour_bar
from seqviz.charts.unroll_network import encoded_floats
from seqviz.i18n import Translator, english
from seqviz.text.piece_encoder import BEGIN
from seqviz.translation_network import TranslationNetwork

__all__ = ["PairFocus", "encoder_decoder_figure"]

TOP_SENT = 5


def encoder_decoder_figure(
    network: TranslationNetwork,
    *,
    options: UnrollOptions | None = None,
    focus: PairFocus | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws the encoder-decoder on a pair.

    Args:
        network: the runs.
        options: width, type size and notation; None for the defaults.
        focus: the moment in focus; None for the step at which the runs part.
        t: the reader's language.
        language: its code, for the HTML page.
    """
    options = options or UnrollOptions()
    ground = ground_plan(network, options)
    picture = Picture(network=network, ground=ground, options=options, t=t, limits=_limits(network))
    focus = resolved_pair_focus(network, focus)
    gap = 26 * options.unit
    heights = [run_height(picture, run) for run in network.runs.values()]
    total = sum(heights) + gap * (len(heights) - 1)
    foot, below = _legend(picture, 8)
    encoder = draw_encoder(picture, max(8 + (total - encoder_height(picture)) / 2, below))
    y, runs = 8.0, []
    for name in network.runs:
        runs.append(draw_run(picture, name, y))
        y = runs[-1].bottom + gap
    # The hand-over lies over the states' boxes, the ribbons behind everything.
    bridge = draw_hand_over(picture, encoder, runs)
    ribbons = draw_ribbons(picture, encoder, runs, focus)
    bottom = draw_comparison(picture, y)
    draw_parting(picture, runs[0].top, bottom + options.small * 0.5)
    places = _places(picture, encoder, runs, bridge, bottom + options.small * 0.5)
    height = max(encoder.bottom, bottom + options.small * 1.4) + options.small
    behind, front = _marks(picture, places, focus)
    alt = pair_alt(network, t)
    width = max(ground.width, 640)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {num(height)}" width="{width}" height="{num(height)}">'
        + rect(0, 0, width, height, classes="bg")
        + group([behind, ribbons, *picture.body, front, *picture.titles], classes="sv-body")
        + group([foot], classes="sv-foot")
        + "</svg>"
    )
    payload = _payload(picture, places, focus, t) | {"language": language}
    payload["id"] = hashlib.sha256((svg + repr(payload["texts"])).encode("utf-8", "replace")).hexdigest()[:16]
    return Figure(
        svg=svg,
        payload=payload,
        alt=alt,
        width=width,
        height=round(height),
        title=f"{network.model}: {clean(network.source.text)[:60]}",
        module="encoder_decoder",
    )


def _limits(network: TranslationNetwork) -> dict[str, float]:
    """The strongest colours: all states share one scale, so do all inputs."""

    def largest(arrays: list[Any]) -> float:
        return max((float(np.abs(array).max()) for array in arrays), default=0.0) or 1.0

    runs = list(network.runs.values())
    states = [part.hidden_state for part in network.encoder] + [network.hand_over.hidden_state]
    states += [layer.hidden_state for run in runs for layer in run.layers]
    return {
        "state": largest(states),
        "embedding": largest([network.embeddings, *(run.embeddings for run in runs)]),
        "readout": largest([run.readout for run in runs]),
    }


Place = tuple[float, float, float, float]


def _places(
    picture: Picture, encoder: EncoderPlace, runs: list[RunPlace], bridge: tuple[float, float], bottom: float
) -> list[Place]:
    """The rectangle of each moment: x, y, width, height."""
    ground = picture.ground
    places: list[Place] = []
    for step in range(ground.encoder.count):
        x = ground.encoder.left + step * ground.encoder.width
        places.append((x, encoder.joint - 8, ground.encoder.width, encoder.bottom - encoder.joint + 12))
    places.append((ground.bridge_left - 4, bridge[0] - 4, ground.bridge_width + 8, bridge[1] - bridge[0] + 8))
    for step in range(ground.decoder.count):
        x = ground.decoder.left + step * ground.decoder.width
        places.append((x, runs[0].top, ground.decoder.width, bottom - runs[0].top))
    return [tuple(round(value, 1) for value in place) for place in places]  # type: ignore[misc]


def _marks(picture: Picture, places: list[Place], focus: PairFocus) -> tuple[str, str]:
    """Behind and in front of the drawing: the band of the moment, the frame of the unit's tile at every step."""
    x, y, width, height = places[focus.step]
    band = rect(x, y, width, height, classes="sv-band", radius=8)
    hover = rect(x, y, width, height, classes="sv-hover", radius=8, extra=' visibility="hidden"')
    frame = rect(x + 0.8, y, width - 1.6, height, classes="sv-frame", radius=8)
    lens = rect(x + 0.8, y, width - 1.6, height, classes="sv-lens", radius=8, extra=' visibility="hidden"')
    marks = ""
    for index, row in enumerate(picture.rows):
        if row["kind"] not in ("state", "start"):
            continue
        size = row["draw"] + 2
        steps = range(row["steps"])
        data = "".join(f"M{row['left'] - 1 + step * row['column']} -1h{size}v{size}h-{size}z" for step in steps)
        own = (row["layer"], row["direction"]) == (focus.layer, focus.row)
        tile = min(focus.unit, row["units"] - 1) // row["perTile"]
        moved = f"translate({tile % row['columns'] * row['tile']} {row['y'] + tile // row['columns'] * row['tile']})"
        hidden = "" if own and (row["kind"] == "start" or _same_part(picture, row, focus)) else ' visibility="hidden"'
        marks += path(data, classes="sv-mark", extra=f' data-row="{index}" transform="{moved}"{hidden}')
    return hover + band, lens + frame + marks


def _same_part(picture: Picture, row: dict[str, Any], focus: PairFocus) -> bool:
    return bool((row["part"] == "encoder") == (focus.step < len(picture.network.source)))


def _legend(picture: Picture, top: float) -> tuple[str, float]:
    """Colour scales and what the lines are, in words."""
    options, t, network = picture.options, picture.t, picture.network
    small = options.small
    names = {"state": t("states and contexts"), "embedding": t("inputs"), "readout": t("readout o")}
    parts, x, y, width = [], 8.0, top, min(picture.ground.start_left - 20 * options.unit, 44 * options.font_size)
    for key, name in names.items():
        limit = picture.limits[key]
        low, high = f"−{limit:.3g}", f"+{limit:.3g}"
        bar = 96 * options.unit
        needed = text_width(name, small) + text_width(low + high, small) + bar + 30
        if x > 8 and x + needed > width:
            x, y = 8.0, y + small * 1.9
        for text, classes in ((name, "st"), (low, "mu"), ("", ""), (high, "mu")):
            if text:
                parts.append(text_at(x, y + small, text, size=small, classes=classes, anchor="start"))
                x += text_width(text, small) * 1.04 + (10 if classes == "st" else 6)
            else:
                parts.append(colour_bar(x, y + small * 0.68, bar, signed=True))
                x += bar + 6
        x += 26
    y += small * 2.1
    decoder, encoder = picture.ground.decoder_grid.per_tile, picture.ground.encoder_grid.per_tile
    sentences = [
        t("One tile is one unit, unit 0 at the top left.")
        if decoder == encoder == 1
        else t(
            "A tile stands for {encoder} units of the encoder or {decoder} of the decoder: it shows the one furthest "
            "from 0."
        ).format(encoder=encoder, decoder=decoder),
        t("Thick coloured lines: the last state of each direction goes through the hand-over into the decoder."),
    ]
    if network.free.attention is not None:
        sentences.append(
            t(
                "Ribbons: attention α of the step in focus, as wide as their weight; weights below {least} are left "
                "out, at most {share} of a step. The context goes to the layers above and to o."
            ).format(least=SHARE_SHOWN, share=f"{largest_left_out(network):.2f}")
        )
    sentences.append(
        t("o reads the top state, the context and x; the softmax over {count} pieces reads o.").format(
            count=f"{network.vocabulary_size:,}"
        )
        if network.free.attention is not None
        else t("o reads the top state and x; the softmax over {count} pieces reads o.").format(
            count=f"{network.vocabulary_size:,}"
        )
    )
    if network.forced is not None:
        sentences.append(t("≠: not the right piece. Bars: filled with teacher forcing, outlined for the free run."))
    for line in wrap(" ".join(sentences), small, width - 8, lines=16):
        parts.append(text_at(8, y + small, line, size=small, classes="mu", anchor="start"))
        y += small * 1.45
    return "".join(parts), y + 1.4 * options.font_size


def _payload(picture: Picture, places: list[Place], focus: PairFocus, t: Translator) -> dict[str, Any]:
    network, ground = picture.network, picture.ground
    runs = {}
    for name, run in network.runs.items():
        labels = piece_labels(run.target)
        runs[name] = {
            "title": run_title(network, name, t)[0],
            "fed": [BEGIN, *labels[:-1]],
            "written": list(labels),
            "shares": [math.exp(value) for value in run.log_probs.tolist()],
            "right": [None if math.isnan(value) else math.exp(value) for value in run.right_log_probs.tolist()],
            "top": [
                [[label, round(share, 6)] for label, share in top_candidates(network, run, step)[:TOP_SENT]]
                for step in range(len(run))
            ],
            "attention": None if run.attention is None else encoded_floats(run.attention),
        }
    return {
        "steps": len(places),
        "sources": len(network.source),
        "places": places,
        "left": ground.encoder.left,
        "roomWidth": picture.options.room,
        "fontSize": picture.options.font_size,
        "small": picture.options.small,
        "focus": focus.to_dict(),
        "rows": picture.rows,
        "runs": runs,
        "pieces": list(piece_labels(network.source)),
        "wordOf": [
            clean(label)
            for (start, end), label in zip(network.source.words, network.source.labels, strict=True)
            for _ in range(start, end)
        ],
        "targets": None if network.forced is None else list(piece_labels(network.forced.target)),
        "distances": network.distances().tolist(),
        "handOver": {
            "sums": encoded_floats(network.hand_over.pre_activation),
            "units": int(network.hand_over.hidden_state.shape[1]),
        },
        "file": re.sub(r"[^\w-]+", "-", network.model) + "-encoder-decoder",
        "texts": interaction_texts(t)
        | {
            "reads": t("Encoder reads piece {step} of {steps}"),
            "hands": t("Hand-over to the decoder"),
            "writes": t("Decoder, step {step} of {steps}"),
            "fed": t("fed"),
            "written": t("writes"),
            "wanted": t("right"),
            "word": t("word"),
            "attended": t("α at step {step}, {run}"),
            "distance": t("distance of the states"),
            "rows": {
                "forward": t("encoder, forward"),
                "backward": t("encoder, backward"),
                "forced": t("decoder, forced"),
                "free": t("decoder, free"),
            },
            "layer": t("layer {layer}"),
            "component": t("component {unit}"),
            "kinds": {
                "source": t("input x"),
                "input": t("input x"),
                "context": t("context c"),
                "readout": t("readout o"),
                "last": t("last states"),
                "start": t("handed-over state"),
                "state": t("hidden state"),
            },
            "group": t("units {first} to {last}, furthest from 0"),
            "end": t("this run has ended"),
            "keys": t(
                "Arrow keys: step and unit. Page up and down: another row. Space: play. Click a column or a tile."
            ),
        },
    }

"""The encoder, the hand-over and one run of the decoder, each drawn on its columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqviz.charts.encoder_decoder_layout import Ground
from seqviz.charts.encoder_decoder_tiles import PADDING, boxed, draw_strip
from seqviz.charts.encoder_decoder_words import (
    decoder_symbol,
    encoder_symbol,
    layer_index,
    run_title,
    top_candidates,
)
from seqviz.charts.piece_words import long_words, piece_labels
from seqviz.charts.svg import arrow_head, esc, fit, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_layout import Columns, UnrollOptions
from seqviz.charts.unroll_math import math_at
from seqviz.charts.unroll_network import token_lines
from seqviz.charts.unroll_sheet import Sheet, short_share
from seqviz.i18n import Translator
from seqviz.text.piece_encoder import BEGIN
from seqviz.translation_network import DecoderRun, RunName, TranslationNetwork
from seqviz.translations import PieceText

CANDIDATES_SHOWN = 3
MANY_STEPS = 20
"""From here on only every fifth state carries its symbol."""


@dataclass(slots=True, kw_only=True)
class Picture:
    """What is drawn so far.

    Args:
        network, ground, options, t: hold for the whole picture.
        limits: magnitude of the strongest colour of states, inputs and readouts.
        body: elements, those behind first.
        titles: headings; they stand before the marks of the moment, which run through them.
        rows: of every strip of tiles, what the interaction needs.
    """

    network: TranslationNetwork
    ground: Ground
    options: UnrollOptions
    t: Translator
    limits: dict[str, float]
    body: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def sheet(self, columns: Columns, y: float = 0) -> Sheet:
        """A sheet over some columns whose elements all go into this picture."""
        return Sheet(columns=columns, options=self.options, t=self.t, y=y, body=self.body, rows=self.rows)

    def title(self, x: float, y: float, title: str, rest: str, room: float) -> None:
        """A heading with dimmed words behind it, cut to the room."""
        options = self.options
        shown = fit(rest, options.small, max(room - text_width(title, options.font_size) * 1.08 - 12, 20))
        self.titles.append(
            f'<text x="{num(x)}" y="{num(y)}" font-size="{num(options.font_size)}" class="st ha" '
            f'paint-order="stroke">{esc(title)}'
            f'<tspan class="mu" dx="10" font-weight="400" font-size="{num(options.small)}">{esc(shown)}</tspan></text>'
        )

    def row_label(self, right: float, middle: float, *lines: str, math: bool = False) -> None:
        """Dimmed words, or a symbol, that end where the columns begin."""
        size = self.options.small
        top = middle - (len(lines) - 1) * size * 0.62 + size * 0.36
        for index, line in enumerate(lines):
            y = top + index * size * 1.24
            drawn = (
                math_at(right, y, line, size=size, anchor="end")
                if math
                else text_at(right, y, line, size=size, classes="mu", anchor="end")
            )
            self.body.append(drawn)


# ---- the encoder


def encoder_height(picture: Picture) -> float:
    """From the title to the numbers of the steps."""
    k, small = picture.options.unit, picture.options.small
    layers = 1 + max(part.layer for part in picture.network.encoder)
    state = picture.ground.encoder_grid.height + 2 * PADDING
    return lanes_height(picture) + layers * (2 * state + 52 * k) + 40 * k + 4 * picture.options.font_size + 2 * small


def lanes_height(picture: Picture) -> float:
    """Title and the room above the encoder where the ribbons and the backward state run to the right."""
    count = len(picture.network.runs) if picture.network.free.attention is not None else 0
    return picture.options.font_size * 1.9 + count * (picture.ground.ribbon + 4) + 14 * picture.options.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderPlace:
    """Where the encoder's states stand: y of the joint, of the lanes, of the last states' middles, and its y range."""

    joint: float
    lane: float
    forward: float
    backward: float
    top: float
    bottom: float


def draw_encoder(picture: Picture, top: float) -> EncoderPlace:
    """Both directions of all layers over the source's pieces."""
    options, ground, network, t = picture.options, picture.ground, picture.network, picture.t
    k, columns = options.unit, ground.encoder
    sheet = picture.sheet(columns, top)
    words = t("reads {count} pieces in both directions").format(count=len(network.source))
    picture.title(8, top + options.font_size, t("Encoder"), words, ground.bridge_left + 60 * k)
    lane = top + options.font_size * 1.9
    sheet.y = joint = top + lanes_height(picture)
    middles: dict[str, float] = {}
    layers = 1 + max(part.layer for part in network.encoder)
    for layer in range(layers - 1, -1, -1):
        upper = sheet.y
        sheet.y += 12 * k
        spans = []
        for direction in ("backward", "forward"):
            spans.append(_encoder_row(picture, sheet, layer, direction))
            middles[direction] = sum(spans[-1]) / 2 if layer == layers - 1 else middles[direction]
            sheet.y += 20 * k
        _joined_directions(picture, sheet, upper, spans[0], spans[1])
    sheet.y -= 6 * k
    grid = ground.source_grid
    draw_strip(sheet, network.embeddings, grid, top=sheet.y, limit=picture.limits["embedding"], row={"kind": "source"})
    picture.row_label(columns.left - 24 * k, sheet.y + grid.height / 2, _x_symbol(picture), math=True)
    sheet.y += grid.height + 3
    sheet.arrows_up(12 * k, steps=range(columns.count))
    draw_pieces(picture, sheet, network.source, classes="tb")
    picture.row_label(columns.left - 10 * k, sheet.y - options.small * 2.2, t("pieces read"))
    draw_words(picture, sheet, network.source)
    return EncoderPlace(
        joint=joint,
        lane=lane,
        forward=middles["forward"],
        backward=middles["backward"],
        top=top + options.font_size * 1.5,
        bottom=sheet.y,
    )


def _x_symbol(picture: Picture) -> str:
    return decoder_symbol("x", notation=picture.options.notation, time="t").text


def _encoder_row(picture: Picture, sheet: Sheet, layer: int, direction: Any) -> tuple[float, float]:
    """One direction of one layer: boxes, tiles, arrows in time from the zeros on; returns its y range."""
    options, columns, grid = picture.options, sheet.columns, picture.ground.encoder_grid
    part = next(p for p in picture.network.encoder if (p.layer, p.direction) == (layer, direction))
    k, top, height = options.unit, sheet.y, grid.height + 2 * PADDING
    middle, half, forward = top + height / 2, columns.box / 2, direction == "forward"
    for step in range(columns.count):
        boxed(sheet, columns.centre(step) - half, top, columns.box, height)
    row = {"kind": "state", "part": "encoder", "layer": layer, "direction": direction}
    draw_strip(sheet, part.hidden_state, grid, top=top + PADDING, limit=picture.limits["state"], row=row)
    sign = 1 if forward else -1
    order = range(columns.count) if forward else range(columns.count - 1, -1, -1)
    ends = [columns.centre(step) - sign * half for step in order]
    starts = [ends[0] - sign * 13 * k, *(columns.centre(step) + sign * half for step in list(order)[:-1])]
    lines = "".join(f"M{num(a)} {num(middle)}H{num(b - sign * 3)}" for a, b in zip(starts, ends, strict=True))
    heads = "".join(arrow_head(b - sign * 0.5, middle, towards="right" if forward else "left", size=4.5) for b in ends)
    sheet.body += [path(lines, classes="ln"), path(heads, classes="hd")]
    sheet.text(starts[0] - sign * 7 * k, middle + options.small * 0.36, "0", classes="mu")
    symbol = encoder_symbol(picture.network, notation=options.notation, time="t", direction=direction, layer=layer)
    picture.row_label(columns.left - 24 * k, middle, symbol.text, math=True)
    sheet.y = top + height
    return top, sheet.y


def _joined_directions(
    picture: Picture, sheet: Sheet, joint: float, backward: tuple[float, float], forward: tuple[float, float]
) -> None:
    """Both states end at the joint: the input passes the forward box on the left, its state the backward one."""
    columns, k = sheet.columns, picture.options.unit
    aside = columns.box / 2 + 2.5
    lines, heads = [], []
    for step in range(columns.count):
        x = columns.centre(step)
        low, high = forward[1] + 10 * k, backward[1] + 7 * k
        lines.append(f"M{num(x)} {num(low + 6 * k)}V{num(forward[1] + 4)}M{num(x)} {num(low)}H{num(x - aside)}")
        lines.append(f"V{num(high)}H{num(x)}V{num(backward[1] + 4)}M{num(x)} {num(backward[0])}V{num(joint)}")
        lines.append(f"M{num(x + columns.box / 4)} {num(forward[0])}V{num(forward[0] - 6 * k)}H{num(x + aside)}")
        lines.append(f"V{num(joint)}H{num(x - columns.box / 4)}")
        heads += [arrow_head(x, forward[1] + 1, towards="up"), arrow_head(x, backward[1] + 1, towards="up")]
    sheet.body += [path("".join(lines), classes="lt"), path("".join(heads), classes="hd")]


def draw_pieces(picture: Picture, sheet: Sheet, text: PieceText, *, classes: str, first: str = "") -> None:
    """Pieces in boxes; with ``first`` the pieces that are fed: it, then all but the last."""
    columns, options = sheet.columns, picture.options
    labels = piece_labels(text)
    shown = (first, *labels[:-1]) if first else labels
    size = options.small
    placed = [token_lines("", label, size, columns.width - 5)[0] for label in shown]
    lines = max(len(each) for each in placed)
    leading, top = size * 1.2, sheet.y
    height = 6 + lines * leading
    for step, each in enumerate(placed):
        x = columns.centre(step)
        box = rect(x - columns.width / 2 + 2, top, columns.width - 4, height, classes=classes, radius=5)
        sheet.body.append(box)
        base = top + (height - len(each) * leading) / 2 + size * 0.93
        for index, line in enumerate(each):
            sheet.body.append(text_at(x, base + index * leading, line, size=size, classes="tx sv-token"))
    sheet.y = top + height


def draw_words(picture: Picture, sheet: Sheet, text: PieceText, *, shift: int = 0, numbers: bool = True) -> None:
    """Brackets under the pieces of one word with the word as written, and the numbers of the steps."""
    columns, size = sheet.columns, picture.options.small
    y, found = sheet.y + 5, long_words(text)
    for start, end, word in found:
        last = min(end + shift, columns.count)
        left, right = columns.left + (start + shift) * columns.width + 5, columns.left + last * columns.width - 5
        if right <= left:
            continue
        sheet.body.append(path(f"M{num(left)} {num(y - 3)}v3H{num(right)}v-3", classes="lt"))
        sheet.text((left + right) / 2, y + size * 1.1, fit(word, size, right - left + 12), classes="mu")
    sheet.y = y + (size * 1.3 if found else 0)
    if numbers:
        for step in range(columns.count):
            sheet.text(columns.centre(step), sheet.y + size * 1.05, str(step + 1), classes="mu")
        sheet.y += size * 1.3


# ---- the decoder


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """Where one run stands: y of its states' middles by layer, of the ribbons' lane and the context, and its range."""

    name: RunName
    states: tuple[float, ...]
    lane: float
    context: float
    top: float
    bottom: float


def run_height(picture: Picture, run: DecoderRun) -> float:
    """From the title to the pieces that are fed, as ``draw_run`` needs it."""
    k, small, ground = picture.options.unit, picture.options.small, picture.ground
    state = ground.decoder_grid.height + 2 * PADDING + small * 1.3
    attended = 0.0 if run.context is None else ground.context_grid.height + ground.ribbon + 16 * k
    return (
        picture.options.font_size * 3.9
        + CANDIDATES_SHOWN * small * 1.5
        + len(run.layers) * (state + 16 * k)
        + attended
        + ground.readout_grid.height
        + ground.input_grid.height
        + 44 * k
        + 4 * small
    )


def draw_run(picture: Picture, name: RunName, top: float) -> RunPlace:
    """One run, from what it writes down to what it is fed."""
    options, ground, network, t = picture.options, picture.ground, picture.network, picture.t
    run, k, columns = network.run(name), options.unit, ground.decoder
    own = Columns(
        left=columns.left, width=columns.width, box=columns.box, count=len(run), label=columns.label, start=0, end=0
    )
    sheet = picture.sheet(own, top)
    title, rest = run_title(network, name, t)
    picture.title(ground.start_left, top + options.font_size, title, rest, ground.width - ground.start_left)
    sheet.y = top + options.font_size * 1.6
    written_y = _written(picture, sheet, run, name)
    _candidates(picture, sheet, run)
    sheet.arrows_up(12 * k, steps=range(len(run)))
    _thin_strip(picture, sheet, run.readout, "o", kind="readout", limit="readout")
    readout_y = sheet.y
    sheet.y += 1
    sheet.arrows_up(11 * k, steps=range(len(run)))
    middles: list[float] = []
    lane = context_y = 0.0
    for layer in range(len(run.layers) - 1, -1, -1):
        if layer == 0 and run.context is not None:
            context_y = _context(picture, sheet, run, readout_y)
            lane = sheet.y + 3 * k
            sheet.y = lane + ground.ribbon + 4 * k
        middles.insert(0, _state_row(picture, sheet, run, name, layer))
        sheet.arrows_up((14 if layer else 11) * k, steps=range(len(run)) if layer == 0 or run.context is None else [])
    _thin_strip(picture, sheet, run.embeddings, "x", kind="input", limit="embedding")
    sheet.y += 2
    sheet.arrows_up(11 * k, steps=range(len(run)))
    fed_y = sheet.y + options.small
    picture.row_label(own.left - 6, fed_y, t("fed"))
    draw_pieces(picture, sheet, run.target, classes="fb" if name == "free" else "tb", first=BEGIN)
    _fed_back(sheet, run, written_y, fed_y, name)
    return RunPlace(
        name=name,
        states=tuple(middles),
        lane=lane,
        context=context_y,
        top=top + options.font_size * 1.5,
        bottom=sheet.y,
    )


def _written(picture: Picture, sheet: Sheet, run: DecoderRun, name: RunName) -> float:
    """The piece of each step on a chip with its probability: the right one, or the model's own."""
    options, columns, network, t = picture.options, sheet.columns, picture.network, picture.t
    size, height = options.small, options.small * 2.9
    right = None if network.forced is None else network.forced.target.ids
    for step, label in enumerate(piece_labels(run.target)):
        same = name == "forced" or right is None or (step < len(right) and right[step] == run.target.ids[step])
        x, width = columns.centre(step), columns.width - 5
        chip = rect(
            x - width / 2, sheet.y, width, height, classes="tb" if name == "forced" else "tf" if same else "ok",
            radius=6, extra="" if same else ' stroke-dasharray="4 3" data-differs="1"',
        )  # fmt: skip
        sheet.body.append(chip)
        sheet.text(x, sheet.y + size * 1.15, fit(label if same else f"≠ {label}", size, width - 4), classes="st")
        value = math.exp(run.log_probs[step])
        share = "<0.001" if value < 0.0005 else short_share(value, width - 4, size)
        sheet.text(x, sheet.y + size * 2.45, share, classes="mu")
    words = t("right piece, P") if name == "forced" else t("writes, P")
    picture.row_label(columns.left - 6, sheet.y + height / 2, *wrap(words, size, 78 * options.unit, lines=2))
    middle = sheet.y + height / 2
    sheet.y += height + 4
    return middle


def _candidates(picture: Picture, sheet: Sheet, run: DecoderRun) -> None:
    """The most probable pieces of each step on bars as long as their probability."""
    columns, small, t = sheet.columns, picture.options.small, picture.t
    line, height, width = small * 1.5, small * 1.36, columns.width - 4
    tracks: list[str] = []
    place = len(sheet.body)
    for step in range(len(run)):
        left = columns.centre(step) - width / 2
        for rank, (label, share) in enumerate(top_candidates(picture.network, run, step)[:CANDIDATES_SHOWN]):
            y = sheet.y + rank * line
            tracks.append(f"M{num(left)} {num(y)}h{num(width)}v{num(height)}h{num(-width)}z")
            if width * share >= 0.5:
                sheet.body.append(rect(left, y, width * share, height, classes="bm", radius=min(3, width * share / 2)))
            number = f"{share:.2f}".removeprefix("0") if share >= 0.005 else "~0"
            base = y + height / 2 + small * 0.36
            room = width - text_width(number, small) - 6
            sheet.text(left + 3, base, fit(label, small, room), anchor="start")
            sheet.text(left + width - 3, base, number, anchor="end")
    sheet.body.insert(place, path("".join(tracks), classes="tk"))
    words = t("the {count} likeliest").format(count=CANDIDATES_SHOWN)
    lines = wrap(words, small, 78 * picture.options.unit, lines=2)
    picture.row_label(columns.left - 6, sheet.y + CANDIDATES_SHOWN * line / 2, *lines)
    sheet.y += CANDIDATES_SHOWN * line


def _thin_strip(picture: Picture, sheet: Sheet, values: Any, letter: str, *, kind: str, limit: str) -> None:
    """o_t or x_t."""
    grid = picture.ground.readout_grid if kind == "readout" else picture.ground.input_grid
    symbol = decoder_symbol(letter, notation=picture.options.notation, time="t").text
    picture.row_label(sheet.columns.left - 6, sheet.y + grid.height / 2, symbol, math=True)
    draw_strip(sheet, values, grid, top=sheet.y, limit=picture.limits[limit], row={"kind": kind})
    sheet.y += grid.height


def _state_row(picture: Picture, sheet: Sheet, run: DecoderRun, name: RunName, layer: int) -> float:
    """One layer: the handed-over state, boxes, tiles, arrows in time; returns the y of its middle."""
    options, columns, ground = picture.options, sheet.columns, picture.ground
    grid, small, part = ground.decoder_grid, options.small, run.layers[layer]
    caption = small * 1.3
    top, height = sheet.y, grid.height + 2 * PADDING + caption
    middle, half = top + caption + PADDING + grid.height / 2, columns.box / 2
    written = layer_index(picture.network, layer)
    for step in range(len(run)):
        boxed(sheet, columns.centre(step) - half, top, columns.box, height)
        if len(run) > MANY_STEPS and step % 5:
            continue
        symbol = decoder_symbol("s", notation=options.notation, time=step + 1, layer=written).text
        sheet.body.append(math_at(columns.centre(step), top + small * 1.1, symbol, size=small))
    row = {"kind": "state", "part": "decoder", "layer": layer, "direction": name}
    draw_strip(sheet, part.hidden_state, grid, top=top + caption + PADDING, limit=picture.limits["state"], row=row)
    width = columns.label
    boxed(sheet, ground.start_left, top, width, height)
    sheet.body.append(rect(ground.start_left, top, width, height, classes="ok", radius=7, extra=' data-start="1"'))
    start = Columns(left=ground.start_left, width=width, box=width, count=1, label=0, start=0, end=0)
    draw_strip(
        picture.sheet(start, top), part.before(0)[0][None], grid, top=top + caption + PADDING,
        limit=picture.limits["state"], row={"kind": "start", "layer": layer, "direction": name},
    )  # fmt: skip
    symbol = decoder_symbol("s", notation=options.notation, time=0, layer=written).text
    sheet.body.append(math_at(ground.start_left + width / 2, top + small * 1.1, symbol, size=small, classes="ac"))
    ends = [columns.centre(step) - half for step in range(len(run))]
    starts = [ground.start_left + width, *(columns.centre(step) + half for step in range(len(run) - 1))]
    lines = "".join(f"M{num(a)} {num(middle)}H{num(b - 3)}" for a, b in zip(starts, ends, strict=True))
    heads = "".join(arrow_head(b - 0.5, middle, towards="right", size=4.5) for b in ends)
    sheet.body += [path(lines, classes="ln"), path(heads, classes="hd")]
    sheet.y = top + height
    return middle


def _context(picture: Picture, sheet: Sheet, run: DecoderRun, readout_y: float) -> float:
    """c_t between the lowest state and what it feeds; that state passes it on the left. Returns its lower edge."""
    columns, grid, k = sheet.columns, picture.ground.context_grid, picture.options.unit
    symbol = decoder_symbol("c", notation=picture.options.notation, time="t").text
    top, aside = sheet.y, 5 * k
    picture.row_label(columns.left - 6, top + grid.height / 2, symbol, math=True)
    values = np.asarray(run.context)
    draw_strip(sheet, values, grid, top=top, limit=picture.limits["state"], row={"kind": "context"}, aside=aside)
    bottom = top + grid.height + 7 * k + picture.ground.ribbon
    lines, heads = [], []
    for step in range(len(run)):
        x = columns.centre(step)
        left, edge = x - columns.box / 2 + 4 * k, x + columns.box / 2 + 3
        if len(run.layers) > 1:
            lines.append(
                f"M{num(left)} {num(bottom)}V{num(top - 11 * k)}M{num(x + aside)} {num(top - 1)}v{num(-7 * k)}"
            )
            heads += [arrow_head(left, top - 13 * k, towards="up"), arrow_head(x + aside, top - 13 * k, towards="up")]
        lines.append(f"M{num(x + aside + grid.width / 2)} {num(top + grid.height / 2)}H{num(edge)}")
        lines.append(f"V{num(readout_y - 4 * k)}H{num(x + columns.box / 2 - 1)}")
    sheet.body += [path("".join(lines), classes="lt"), path("".join(heads), classes="hd")]
    sheet.y = top + grid.height
    return sheet.y


def _fed_back(sheet: Sheet, run: DecoderRun, source_y: float, target_y: float, name: RunName) -> None:
    """From each written piece to the next input; dashed where it is the model's own."""
    columns = sheet.columns
    lines, heads = [], []
    for step in range(1, len(run)):
        x = columns.left + step * columns.width - 2
        lines.append(
            f"M{num(x - 2)} {num(source_y)}Q{num(x)} {num(source_y)} {num(x)} {num(source_y + 5)}V{num(target_y)}"
        )
        heads.append(arrow_head(x + 4, target_y, towards="right", size=4))
    free = name == "free"
    sheet.body.append(path("".join(lines), classes="fb" if free else "lt", extra=f' data-feedback="{name}"'))
    sheet.body.append(path("".join(heads), classes="fh" if free else "hd"))

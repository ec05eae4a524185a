"""What the network says at each step: tags, the verdict word by word, or the next tokens with their surprisal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seqviz.charts.notation import visible
from seqviz.charts.palette import CATEGORIES
from seqviz.charts.svg import fit, num, path, rect, text_at, text_width
from seqviz.charts.unroll_math import math_at, state_symbol, weight_names
from seqviz.charts.unroll_sheet import Sheet, counted_steps, share_bar, short_share
from seqviz.traces import NO_TARGET, RecurrentTrace

TOP_SHOWN = 3
TOP_SENT = 8
OUTSIDE = "O"
_CLASSES_SHOWN = 5


def draw_outputs(sheet: Sheet, trace: RecurrentTrace, *, loss_limit: float) -> float:
    """Draws the outputs of the trace's task; returns the y from which an output is fed back."""
    if trace.task == "tagging":
        source = _draw_tags(sheet, trace)
    elif trace.task == "classification":
        source = _draw_verdict(sheet, trace)
    else:
        source = _draw_next_tokens(sheet, trace, loss_limit)
    counted, other = counted_steps(trace)
    start = sheet.y
    sheet.arrows_up(26 * sheet.options.unit, steps=[*other, *counted], faint=other)
    if sheet.columns.roomy:
        name = weight_names(trace.layers[0].cell, notation=sheet.options.notation)[2]
        x = sheet.columns.centre(counted[0]) + 6
        y = start + 19 * sheet.options.unit
        sheet.body.append(math_at(x, y, name, size=sheet.options.small, classes="ac", anchor="start"))
    return source


def output_symbol(sheet: Sheet, trace: RecurrentTrace, time: str | int = "t") -> str:
    """ŷ⟨t⟩, or what the notation writes for the output."""
    return state_symbol(
        "output", notation=sheet.options.notation, cell=trace.layers[0].cell, time=time, layer=None, direction=None
    )


def category(label: str, labels: tuple[str, ...]) -> int | None:
    """Number of the colour of a tag: B-PER and I-PER share one, O has none."""
    if label == OUTSIDE:
        return None
    kinds = list(dict.fromkeys(_kind(other) for other in labels if other != OUTSIDE))
    return kinds.index(_kind(label)) % CATEGORIES


def _kind(label: str) -> str:
    return label[2:] if label[:2] in ("B-", "I-") else label


def _draw_tags(sheet: Sheet, trace: RecurrentTrace) -> float:
    columns, options, t = sheet.columns, sheet.options, sheet.t
    small = options.small
    best = trace.logits.argmax(-1)
    shares = trace.probabilities[np.arange(len(trace)), best]
    top, height = sheet.y + 2, small * 1.75
    chip = min(columns.width - 6, 110 * options.unit)
    for step in range(len(trace)):
        label, x = trace.labels[best[step]], columns.centre(step)
        colour = category(label, trace.labels)
        before = trace.labels[best[step - 1]] if step else OUTSIDE
        if label.startswith("I-") and before != OUTSIDE and _kind(before) == _kind(label):
            # One entity over several tokens: its chips hang together.
            left = columns.centre(step - 1)
            sheet.body.append(rect(left, top + height / 2 - 2.5, columns.width, 5, classes=f"k{colour}"))
    for step in range(len(trace)):
        label, x = trace.labels[best[step]], columns.centre(step)
        colour = category(label, trace.labels)
        box, words = ("tk", "mu") if colour is None else (f"k{colour}", "on")
        width = min(chip, max(text_width(label, small) + 14, 40 * options.unit))
        sheet.body.append(
            rect(x - width / 2, top, width, height, classes=box, radius=height / 2, extra=' data-tag="1"')
        )
        sheet.text(x, top + height / 2 + small * 0.36, fit(label, small, width - 4), classes=words)
        bar_y = top + height + 7
        share_bar(sheet, step, bar_y, float(shares[step]), width=min(chip, 64 * options.unit))
        sheet.text(x, bar_y + 8 + small, short_share(float(shares[step]), columns.width - 4, small), classes="mu")
    bottom = top + height + 7 + 8 + small * 1.25
    symbol = output_symbol(sheet, trace)
    sheet.label(t("Tag"), top + height / 2 + 12, symbols=[symbol], small=[t("and its probability")])
    sheet.y = bottom
    if np.any(trace.targets != NO_TARGET):
        _draw_right_tags(sheet, trace, best)
    return top + height / 2


def _draw_right_tags(sheet: Sheet, trace: RecurrentTrace, best: Any) -> None:
    small = sheet.options.small
    baseline = sheet.y + small
    for step, target in enumerate(trace.targets.tolist()):
        if target == NO_TARGET:
            continue
        right = target == best[step]
        text = "✓" if right else f"✗ {trace.labels[target]}"
        shown = fit(text, small, sheet.columns.width - 2)
        sheet.text(sheet.columns.centre(step), baseline, shown, classes="mu" if right else "st")
    sheet.label("", baseline - small * 0.35, small=[sheet.t("right tag")])
    sheet.y = baseline + small * 0.5


def _draw_verdict(sheet: Sheet, trace: RecurrentTrace) -> float:
    columns, options, t = sheet.columns, sheet.options, sheet.t
    small, k = options.small, options.unit
    shares = trace.probabilities
    answer = int(trace.logits[-1].argmax())
    shown = [1] if len(trace.labels) == 2 else sorted(np.argsort(-shares[-1], kind="stable")[:_CLASSES_SHOWN].tolist())
    last = len(trace) - 1
    chip_height = small * 1.8
    chip_class = "an" if len(shown) == 1 or answer not in shown else f"k{shown.index(answer)}"
    _answer_chip(sheet, trace, float(shares[-1, answer]), sheet.y + 2, chip_height, classes=chip_class)
    top = sheet.y + chip_height + 12
    height = 104 * k
    right = columns.right

    def y_of(share: float) -> float:
        return top + (1 - share) * height

    for share, classes in ((1.0, "hr"), (0.5, "gd"), (0.0, "hr")):
        sheet.body.append(path(f"M{columns.label} {num(y_of(share))}H{right}", classes=classes))
        tick = text_at(
            columns.label - 4, y_of(share) + small * 0.35, f"{share:g}", size=small, classes="mu", anchor="end"
        )
        sheet.labels.append(tick)
    for index, label in enumerate(shown):
        single = len(shown) == 1
        line, point, final = ("cv", "pt", "pf") if single else (f"c{index}", f"k{index}", f"k{index}")
        points = [(columns.centre(s), y_of(float(shares[s, label]))) for s in range(len(trace))]
        curve = "M" + "L".join(f"{num(x)} {num(y)}" for x, y in points)
        sheet.body.append(path(curve, classes=line, extra=f' data-verdict="{label}"'))
        sheet.body += [
            f'<circle cx="{num(x)}" cy="{num(y)}" r="{num((6 if s == last else 3.6) * k)}" '
            f'class="{final if s == last else point}" data-point="1"/>'
            for s, (x, y) in enumerate(points)
        ]
    if len(shown) == 1:
        _verdict_numbers(sheet, [float(share) for share in shares[:, shown[0]]], y_of)
        name = t("P({label})").format(label=trace.labels[shown[0]])
    else:
        name = t("P(class)")
        _class_names(sheet, trace, shown, top)
    sheet.label(
        name,
        top + height / 2,
        small=[t("if the text ended here")] if len(trace) > 1 else [],
        spare=16 + text_width("0.5", small),
    )
    sheet.y = top + height + 8
    return top + height / 2


def _answer_chip(sheet: Sheet, trace: RecurrentTrace, share: float, y: float, height: float, *, classes: str) -> None:
    columns, small = sheet.columns, sheet.options.small
    answer = int(trace.logits[-1].argmax())
    words = sheet.t("answer: {label}, {share}").format(label=trace.labels[answer], share=f"{share:.3f}")
    symbol_text = output_symbol(sheet, trace, len(trace))
    width = text_width(words, small) * 1.04 + 24
    right = min(columns.right + columns.end - 4, columns.centre(len(trace) - 1) + width / 2)
    sheet.body.append(
        rect(right - width, y, width, height, classes=classes, radius=height / 2, extra=' data-answer="1"')
    )
    sheet.text(right - width / 2, y + height / 2 + small * 0.36, words, classes="on")
    if width + 2 * small + 24 < columns.width:
        sheet.body.append(
            math_at(right - width - 8, y + height / 2 + small * 0.36, symbol_text, size=small, anchor="end")
        )


def _verdict_numbers(sheet: Sheet, shares: list[float], y_of: Any) -> None:
    """The value beside each point where there is room: above a low point, below a high one."""
    small, width = sheet.options.small, sheet.columns.width
    if width < text_width(".00", small) + 6:
        return
    for step, share in enumerate(shares[:-1]):
        beside = [shares[near] for near in (step - 1, step + 1) if near >= 0]
        above = share < 0.14 or (share <= 0.86 and share >= sum(beside) / len(beside))
        y = y_of(share) + (-small * 0.75 if above else small * 1.4)
        sheet.text(sheet.columns.centre(step), y, short_share(share, min(width - 8, small * 2.8), small), classes="mu")


def _class_names(sheet: Sheet, trace: RecurrentTrace, shown: list[int], top: float) -> None:
    x, small = float(sheet.columns.left), sheet.options.small
    for index, label in enumerate(shown):
        name = trace.labels[label]
        sheet.body.append(rect(x, top - small - 6, small * 0.8, small * 0.8, classes=f"k{index}", radius=3))
        sheet.text(x + small * 1.1, top - small * 0.6 - 5, name, anchor="start")
        x += text_width(name, small) + small * 2.4


def _draw_next_tokens(sheet: Sheet, trace: RecurrentTrace, loss_limit: float) -> float:
    t, small = sheet.t, sheet.options.small
    counted, _ = counted_steps(trace)
    line = small * 1.5
    top = sheet.y + 2
    for step in range(len(trace)):
        faded = "" if step in counted else ' opacity="0.45"'
        before = len(sheet.body)
        for rank, (label, share) in enumerate(trace.top(step, TOP_SHOWN)):
            right = int(trace.targets[step]) != NO_TARGET and trace.labels[int(trace.targets[step])] == label
            _next_token(sheet, step, top + rank * line, label, share, right=right)
        if faded:
            sheet.body[before:] = [f"<g{faded}>{''.join(sheet.body[before:])}</g>"]
    likeliest = t("the {count} likeliest").format(count=TOP_SHOWN)
    sheet.label(t("Next"), top + 1.5 * line, symbols=[output_symbol(sheet, trace)], small=[likeliest])
    sheet.y = top + TOP_SHOWN * line + 4
    if np.any(trace.targets != NO_TARGET):
        if not _always_among_top(trace):
            _draw_came_next(sheet, trace, line)
        _draw_surprisal(sheet, trace, loss_limit)
    return top + line / 2


def _next_token(sheet: Sheet, step: int, y: float, label: str, share: float, *, right: bool) -> None:
    """A token on a bar as long as its probability; outlined where it is the token that came."""
    columns, small = sheet.columns, sheet.options.small
    width = columns.width - 4
    height = small * 1.38
    left = columns.centre(step) - width / 2
    sheet.body.append(rect(left, y, width, height, classes="tk", radius=3))
    if width * share >= 0.5:
        sheet.body.append(rect(left, y, width * share, height, classes="bm", radius=min(3, width * share / 2)))
    if right:
        sheet.body.append(
            rect(left + 0.8, y + 0.8, width - 1.6, height - 1.6, classes="ok", radius=3, extra=' data-right="1"')
        )
    shown = visible(label) or "∅"
    name_classes = "st" if right else "tx"
    # The same number of decimals in every column, so that they can be compared at a glance.
    number = short_share(share, width - small * 1.05 - 12, small)
    baseline = y + height / 2 + small * 0.36
    if number:
        name = fit(shown, small, max(width - text_width(number, small) - 10, small)) if len(shown) > 1 else shown
        sheet.text(left + 5, baseline, name, classes=name_classes, anchor="start")
        sheet.text(left + width - 4, baseline, number, anchor="end")
    else:
        sheet.text(columns.centre(step), baseline, fit(shown, small, width), classes=name_classes)


def _always_among_top(trace: RecurrentTrace) -> bool:
    """Whether every token that came is outlined among the likeliest anyway (greedy generation)."""
    known = np.flatnonzero(trace.targets != NO_TARGET)
    better = (trace.logits[known] > trace.logits[known, trace.targets[known]][:, None]).sum(-1)
    return bool((better < TOP_SHOWN).all())


def _draw_came_next(sheet: Sheet, trace: RecurrentTrace, line: float) -> None:
    t = sheet.t
    probabilities = trace.probabilities
    sheet.y += 3
    for step, target in enumerate(trace.targets.tolist()):
        if target != NO_TARGET:
            share = float(probabilities[step, target])
            _next_token(sheet, step, sheet.y, trace.labels[target], share, right=False)
    generated = trace.fed_back < len(trace)
    sheet.label("", sheet.y + line / 2, small=[t("what it chose") if generated else t("what came next")])
    sheet.y += line


def _draw_surprisal(sheet: Sheet, trace: RecurrentTrace, limit: float) -> None:
    """-log P of the token that came next, as bars that hang from a line: the deeper, the more surprised."""
    columns, options, t = sheet.columns, sheet.options, sheet.t
    small = options.small
    height = 34 * options.unit
    top = sheet.y + 8
    losses = trace.losses
    width = min(columns.width * 0.5, 26 * options.unit)
    for step, loss in enumerate(losses.tolist()):
        if math.isnan(loss):
            continue
        x = columns.centre(step)
        tall = max(height * loss / limit, 0.6)
        sheet.body.append(rect(x - width / 2, top + height - tall, width, tall, classes="bl", extra=' data-loss="1"'))
        text = next((f for f in (f"{loss:.2f}", f"{loss:.1f}") if text_width(f, small) <= columns.width - 1), "")
        sheet.text(x, top + height + small * 1.05, text, classes="mu")
    sheet.body.append(path(f"M{columns.left} {num(top + height)}H{columns.right}", classes="hr"))
    mean = float(np.nanmean(losses))
    sheet.label(
        t("Surprisal"), top + height / 2 + 9, small=[t("−log P in nats, mean {mean}").format(mean=f"{mean:.2f}")]
    )
    sheet.y = top + height + small * 1.45

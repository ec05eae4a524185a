"""Searches side by side as a table for page and file; on a narrow window each line becomes a card."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from seqviz.analysis.word_diff import nearest, word_diff
from seqviz.charts.palette import COLOURS, Theme, literals
from seqviz.charts.style import FONT
from seqviz.comparison import ComparedSearch
from seqviz.i18n import Translator, english
from seqviz.metrics.bleu import BleuTable
from seqviz.metrics.corpus_bleu import bleu_tokens

_CLOSE = set(".,;:!?)]}%…。，、！？；：")
_OPEN = set("([{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A line whose answer is on its way, or did not come.

    Args:
        name: of the search, as in ``ComparedSearch``.
        says: in a few words.
    """

    name: str
    says: str


def search_title(name: str, t: Translator = english) -> str:
    """The name of a search, for people."""
    if name.startswith("beam-"):
        return t("Beam, B = {size}").format(size=name.removeprefix("beam-"))
    return {"greedy": t("Greedy"), "sampling": t("Sampling"), "exact": t("Exact")}[name]


def compared_html(
    rows: Sequence[ComparedSearch | Waiting],
    *,
    against: Sequence[Sequence[str]] = (),
    alpha: float = 0.0,
    selected: str = "",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> str:
    """The table.

    Args:
        rows: one a search.
        against: words of the references, or of another line, that differences are marked from; of several the nearest.
        alpha: of the score.
        selected: name of the line that is looked at below.
        theme, font_size, t: as in every chart.
    """
    columns = _columns(rows, alpha, t)
    found = [row for row in rows if isinstance(row, ComparedSearch) and not math.isnan(row.score)]
    best = max((row.score for row in found), default=math.nan)
    head = "".join(
        f'<th scope="col" title="{escape(note)}"{_number_class(index)}>{escape(label)}</th>'
        for index, (label, note, _) in enumerate(columns)
    )
    lines = []
    for row in rows:
        chosen = ' aria-current="true" class="chosen"' if row.name == selected else ""
        name = f'<th scope="row">{escape(search_title(row.name, t))}</th>'
        if isinstance(row, Waiting):
            lines.append(
                f'<tr{chosen}>{name}<td class="wait" colspan="{len(columns) - 1}">{escape(row.says)}</td></tr>'
            )
            continue
        # Float32 batches differ in their last digits: what is equal to six of them is equally good.
        top = math.isclose(row.score, best, rel_tol=1e-5, abs_tol=1e-6)
        cells = "".join(
            f'<td data-label="{escape(label)}"{_number_class(index)}>{show(row)}</td>'
            for index, (label, _, show) in enumerate(columns)
            if index > 1
        )
        text = f'<td class="says">{_marked(row, against, t)}</td>'
        lines.append(f"<tr{chosen} {'data-top' if top else ''}>{name}{text}{cells}</tr>")
    return (
        f"<style>{_css(theme, font_size)}</style>"
        f'<table class="sv-compared"><caption>{escape(compared_sentence(rows, t=t))}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def compared_sentence(rows: Sequence[ComparedSearch | Waiting], *, t: Translator = english) -> str:
    """How many translations there are, and which search found the most probable one."""
    found = [row for row in rows if isinstance(row, ComparedSearch) and row.text]
    if not found:
        return t("No search has found a translation yet.")
    best = max(found, key=lambda row: row.log_prob)
    texts = len({row.text for row in found})
    says = t("{count} searches, {texts} different translations.").format(count=len(found), texts=texts)
    near = next(row for row in found if math.isclose(row.log_prob, best.log_prob, rel_tol=1e-5, abs_tol=1e-6))
    return says + " " + t("The most probable one, found first by {search}: “{text}”, log P = {value:.3f}.").format(
        search=search_title(near.name, t), text=best.text, value=best.log_prob
    )  # fmt: skip


_Column = tuple[str, str, Callable[[ComparedSearch], str]]


def _columns(rows: Sequence[ComparedSearch | Waiting], alpha: float, t: Translator) -> list[_Column]:
    columns: list[_Column] = [
        (t("Search"), "", lambda row: row.name),
        (t("Translation"), "", lambda row: row.text),
        ("log P", t("Σ log p of all pieces and <eos>, in nats"), lambda row: _decimal(row.log_prob, 3)),
    ]
    if alpha:
        note = t("(1/L^α) Σ log p: what the searches are ranked by")
        columns.append((t("score, α = {alpha:g}").format(alpha=alpha), note, lambda row: _decimal(row.score, 3)))
    columns.append(("L", t("pieces, <eos> included"), lambda row: str(row.length)))
    if any(isinstance(row, ComparedSearch) and row.table is not None for row in rows):
        columns += [
            (t("BLEU, lecture"), t("exp(min(0, 1 − len_ref/len)) Π p_n^(1/2^n), in percent"), _lecture),
            (t("BLEU, sacrebleu"), t("sentence BLEU, smoothed, in percent"), _sacre),
        ]
    return [
        *columns,
        ("ms", t("time of the search"), lambda row: f"{1000 * row.seconds:,.0f}"),
        (t("calls"), t("calls of the model; one computes a whole batch"), lambda row: f"{row.model_calls:,}"),
        (t("extended"), t("hypotheses whose next pieces were computed"), lambda row: f"{row.expansions:,}"),
    ]


def _lecture(row: ComparedSearch) -> str:
    return "–" if row.table is None else f"{100 * row.table.score:.1f}"


def _sacre(row: ComparedSearch) -> str:
    return "–" if row.bleu is None else f"{row.bleu.score:.1f}"


def _decimal(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _number_class(index: int) -> str:
    return ' class="num"' if index > 1 else ""


def _marked(row: ComparedSearch, against: Sequence[Sequence[str]], t: Translator) -> str:
    if not row.text and not row.length:
        return f'<span class="wait">{escape(t("no translation"))}</span>'
    if not row.text:
        # A model may find it most probable to say nothing (Stahlberg and Byrne 2019).
        text = f'<span class="wait">{escape(t("the empty translation: <eos> alone"))}</span>'
    elif not against:
        text = escape(row.text)
    else:
        text, last = "", ""
        for span in word_diff(row.words, against[nearest(row.words, against)]):
            for word in span.words:
                gap = "" if word in _CLOSE or last in _OPEN or not text else " "
                tag = {"same": "", "added": "ins", "missing": "del"}[span.change]
                text += gap + (f"<{tag}>{escape(word)}</{tag}>" if tag else escape(word))
                last = word
    notes = [*_notes(row, t)]
    return text + "".join(f'<small class="note">{escape(note)}</small>' for note in notes)


def _notes(row: ComparedSearch, t: Translator) -> list[str]:
    notes = [] if row.ended else [t("cut at {length} pieces").format(length=row.length)]
    if row.config.search == "sampling":
        notes.append(
            t("the best of {count} samples, {texts} different").format(
                count=row.config.samples, texts=1 + len(row.others)
            )
        )
    if row.config.search != "exact":
        return notes
    if row.proven:
        return [*notes, t("proven: of all sequences none scores higher")]
    gap = row.upper_bound - row.score
    return [
        *notes,
        t("not proven with a budget of {budget:,}: another one could score up to {gap:.2f} nats more").format(
            budget=row.config.max_expansions, gap=gap
        ),
    ]


def compared_page(
    rows: Sequence[ComparedSearch],
    *,
    source: str,
    references: Sequence[str] = (),
    alpha: float = 0.0,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> str:
    """The table as a page of its own that works offline; arguments as in ``compared_html``, and its ``language``."""
    against = [bleu_tokens(reference) for reference in references]
    table = compared_html(rows, against=against, alpha=alpha, theme=theme, font_size=font_size, t=t)
    known = "".join(f"<p>y*: {escape(reference)}</p>" for reference in references)
    return _page(source, f"{known}{table}<p>{escape(compared_sentence(rows, t=t))}</p>", theme, language)


def ngram_page(
    table: BleuTable,
    *,
    candidate: str,
    references: Sequence[str],
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> str:
    """The n-grams of a translation as a page of its own that works offline.

    Args:
        table: what was counted.
        candidate: the translation.
        references: translations by people.
        theme, font_size, t: as in every chart.
        language: of the page.
    """
    known = "".join(f"<p>y*: {escape(reference)}</p>" for reference in references)
    return _page(
        candidate,
        f"{known}{ngram_html(table, theme=theme, font_size=font_size, t=t)}<p>{bleu_formula(table)}</p>",
        theme,
        language,
    )


def _page(title: str, body: str, theme: Theme, language: str) -> str:
    colours = f"background:{COLOURS['surface'][theme]};color:{COLOURS['text'][theme]}"
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="margin:16px;font-family:{escape(FONT)};{colours}">'
        f'<h1 style="font-size:1.3rem">{escape(title)}</h1>{body}</body></html>'
    )


def ngram_html(table: BleuTable, *, theme: Theme = "light", font_size: int = 14, t: Translator = english) -> str:
    """The n-grams of a translation, one line for each n: how often each is there and how often it counts."""
    lines = []
    for line in table.lines:
        chips = "".join(
            f"<li{'' if one.clipped else ' class=none'}><b>{escape(' '.join(one.ngram))}</b> "
            f"{one.clipped}/{one.count}</li>"
            for one in line.counts
        )
        lines.append(
            f'<tr><th scope="row">{line.n}</th><td class="says"><ul>{chips}</ul></td>'
            f'<td class="num" data-label="p">{line.matched}/{line.total} = {line.precision:.3f}</td>'
            f'<td class="num" data-label="p^w">{line.precision:.3f}<sup>1/{2**line.n}</sup> = {line.factor:.3f}'
            "</td></tr>"
        )
    head = (
        f'<th scope="col">n</th><th scope="col">{escape(t("n-grams: how often each counts / is there"))}</th>'
        f'<th scope="col" class="num">p<sub>n</sub></th>'
        f'<th scope="col" class="num">p<sub>n</sub><sup>1/2ⁿ</sup></th>'
    )
    return (
        f'<style>{_css(theme, font_size)}</style><table class="sv-compared sv-ngrams"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def bleu_formula(table: BleuTable) -> str:
    """The numbers of ``bleu_latex`` as HTML, for a file that holds no typesetting."""
    factors = "".join(f" · ({line.matched}/{line.total})<sup>1/{2**line.n}</sup>" for line in table.lines)
    return (
        f"BLEU = e<sup>min(0, 1 − {table.reference_length}/{table.output_length})</sup>{factors} = {table.score:.4f}"
        if table.lines
        else "BLEU = 0"
    )


def bleu_latex(table: BleuTable) -> str:
    """The syllabus' formula (S2) with the numbers of a table."""
    if not table.lines:
        return r"\mathrm{BLEU} = 0"
    factors = r" \cdot ".join(
        rf"\left(\tfrac{{{line.matched}}}{{{line.total}}}\right)^{{1/{2**line.n}}}" for line in table.lines
    )
    return (
        r"\mathrm{BLEU} = e^{\min(0,\, 1 - \mathrm{len}_{\mathrm{ref}} / \mathrm{len})} "
        rf"\prod_n p_n^{{1/2^n}} = e^{{\min(0,\, 1 - {table.reference_length}/{table.output_length})}} \cdot {factors} "
        rf"= {table.brevity:.3f} \cdot "
        + r" \cdot ".join(f"{line.factor:.3f}" for line in table.lines)
        + f" = {table.score:.4f}"
    )


def _css(theme: Theme, font_size: int) -> str:
    colours = {name: shades[theme] for name, shades in COLOURS.items()}
    kind = literals(theme)["k0"]
    small = max(12, font_size - 1)
    return f"""
.sv-compared{{width:100%;border-collapse:collapse;font:{font_size + 1}px {FONT};color:{colours["text"]};
font-variant-numeric:tabular-nums;margin:0}}
.sv-compared caption{{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}}
.sv-compared th,.sv-compared td{{padding:5px 8px;border:0;border-bottom:1px solid {colours["faint"]};text-align:left;
vertical-align:top;font-weight:400}}
.sv-compared thead th{{font-size:{small}px;color:{colours["muted"]};white-space:nowrap}}
.sv-compared tbody th{{white-space:nowrap;color:{colours["muted"]}}}
.sv-compared .num{{text-align:right;white-space:nowrap}}
.sv-compared thead th.num{{white-space:normal;max-width:6em;vertical-align:bottom;line-height:1.25}}
.sv-compared .says{{width:60%;font-size:{font_size + 3}px;overflow-wrap:anywhere}}
.sv-compared tr[data-top] .says{{font-weight:600}}
.sv-compared tr.chosen>*{{background:{colours["tint"]}}}
.sv-compared ins{{color:{kind};text-decoration:underline 2px;text-underline-offset:3px}}
.sv-compared del{{color:{colours["muted"]};text-decoration:line-through;font-weight:400}}
.sv-compared .wait{{color:{colours["muted"]};font-style:italic}}
.sv-compared .note{{display:block;font-size:{small}px;color:{colours["muted"]};font-weight:400}}
.sv-compared ul{{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 6px}}
.sv-compared li{{margin:0;font-size:{font_size}px;padding:1px 7px;border:1px solid {colours["line"]};border-radius:6px;
color:{colours["muted"]}}}
.sv-compared li b{{color:{colours["text"]};font-weight:600}}
.sv-compared li.none{{border-style:dashed}}
.sv-compared li.none b{{color:{colours["muted"]};font-weight:400;text-decoration:line-through}}
@media (max-width:760px){{
.sv-compared thead{{display:none}}
.sv-compared tr{{display:flex;flex-wrap:wrap;gap:0 14px;padding:8px 4px;border-bottom:1px solid {colours["faint"]}}}
.sv-compared th,.sv-compared td{{border:0;padding:1px 0}}
.sv-compared .says{{width:100%}}
.sv-compared td.num::before{{content:attr(data-label) " ";color:{colours["muted"]};font-size:{small}px}}
}}"""

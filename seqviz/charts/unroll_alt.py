"""The words around the unrolled network: its titles and its text alternative."""

from __future__ import annotations

from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.svg import clean
from seqviz.charts.unroll_heatmap import Shown, where_words
from seqviz.i18n import Translator, msgid
from seqviz.traces import RecurrentTrace

STRUCTURE_NAMES = {
    "one_to_one": msgid("one-to-one"),
    "one_to_many": msgid("one-to-many"),
    "many_to_one": msgid("many-to-one"),
    "many_to_many": msgid("many-to-many"),
}

CELL_TITLES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


def cell_title(cell: str) -> str:
    """The family of a cell as it is written: RNN, GRU or LSTM."""
    return CELL_TITLES[cell.split("_", maxsplit=1)[0]]


def panel_title(trace: RecurrentTrace, t: Translator) -> tuple[str, str]:
    """The model's name, and what it is in a few words."""
    layers = max(part.layer for part in trace.layers) + 1
    words = [
        t("{cell}, {layers} layers").format(cell=cell_title(trace.layers[0].cell), layers=layers)
        if layers > 1
        else t("{cell}, 1 layer").format(cell=cell_title(trace.layers[0].cell)),
    ]
    if any(part.direction == "backward" for part in trace.layers):
        words.append(t("bidirectional"))
    words.append(t(STRUCTURE_NAMES[trace.structure]))
    return trace.model, " · ".join(words)


def alt_text(traces: list[RecurrentTrace], shown: list[Shown], t: Translator) -> str:
    """What the picture shows, in a few sentences, for readers who do not see it."""
    return " ".join(_one_alt_text(trace, what, t) for trace, what in zip(traces, shown, strict=True))


def network_alt_text(trace: RecurrentTrace, t: Translator) -> str:
    """What the picture of the network alone shows."""
    model, rest = panel_title(trace, t)
    tokens = " ".join(clean(visible(original)) for original in trace.originals)
    unrolled = t("{model} ({description}) unrolled over {count} steps: {tokens}.").format(
        model=model, description=rest, count=len(trace), tokens=tokens
    )
    return f"{unrolled} {_outputs(trace, t)}"


def _one_alt_text(trace: RecurrentTrace, what: Shown, t: Translator) -> str:
    sentences = [
        network_alt_text(trace, t),
        t("Heatmap of {quantity}, {where}: {units} units by {count} steps.").format(
            quantity=quantity_name(what.quantity, t),
            where=where_words(what.part, t),
            units=what.part.num_units,
            count=len(trace),
        ),
    ]
    return " ".join(sentences)


def _outputs(trace: RecurrentTrace, t: Translator) -> str:
    if trace.task == "classification":
        label, share = trace.top(len(trace) - 1, 1)[0]
        return t("Answer: {label} with probability {share}.").format(label=clean(label), share=f"{share:.3f}")
    best = [trace.top(step, 1)[0][0] for step in range(len(trace))]
    words = " ".join(clean(visible(label)) for label in best)
    if trace.task == "tagging":
        return t("Tags: {tags}.").format(tags=words)
    return t("Likeliest next tokens: {tokens}.").format(tokens=words)

"""The words around a search tree: reasons, legend, text alternative, what the module says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from seqviz.charts.search_tree_parts import GHOST, SearchPath, nats
from seqviz.charts.svg import clean
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator, msgid

SEARCH_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "greedy": msgid("Greedy search"),
        "beam": msgid("Beam search, B = {beam_size}"),
        "diverse": msgid("Diverse beam search, B = {beam_size} in {groups} groups"),
        "sampling": msgid("Sampling, {samples} samples"),
        "exact": msgid("Exact search"),
        "brute_force": msgid("Every sequence"),
    }
)

REASON_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "beam": msgid("not among the {beam_size} best of its step"),
        "bound": msgid("nothing that begins so can still win"),
        "budget": msgid("not looked into: the budget was spent"),
        "choice": msgid("greedy takes only the most probable"),
        "draw": msgid("not drawn"),
        "prefix": msgid("another beginning is forced"),
        "forbidden": msgid("forbidden"),
        "min_length": msgid("too short to end here"),
        "stopped": msgid("kept, but enough hypotheses were finished"),
        GHOST: msgid("this search never looked here"),
    }
)

NOTES: Mapping[str, str] = MappingProxyType(
    {
        "budget": msgid("budget"),
        "prefix": msgid("forced"),
        "forbidden": msgid("forbidden"),
        "min_length": msgid("too short"),
    }
)
"""Short words beside a hypothesis that was not outscored."""

CUT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "greedy": msgid("not the best"),
        "beam": msgid("cut: B = {beam_size}"),
        "diverse": msgid("cut in each group"),
        "sampling": msgid("not drawn"),
        "exact": msgid("cannot win"),
        "brute_force": msgid("not possible"),
    }
)


def search_title(trace: SearchTrace, t: Translator) -> str:
    """The name of a search with its size."""
    config = trace.config
    return t(SEARCH_NAMES[config.search]).format(
        beam_size=config.beam_size, groups=config.groups, samples=config.samples
    )


def reason_words(trace: SearchTrace, t: Translator) -> dict[str, str]:
    """Every reason as a clause."""
    size = trace.config.beam_size // (trace.config.groups if trace.config.search == "diverse" else 1)
    return {name: t(words).format(beam_size=size) for name, words in REASON_WORDS.items()}


def short_notes(t: Translator) -> dict[str, str]:
    """What stands beside a hypothesis that was not outscored."""
    return {name: t(words) for name, words in NOTES.items()}


def cut_words(trace: SearchTrace, t: Translator) -> str:
    """What stands at the line between those that go on and those that do not."""
    return t(CUT_WORDS[trace.config.search]).format(beam_size=trace.config.beam_size)


ReadText = Callable[[int], str]
"""A finished hypothesis as people read it, by its row."""


def read_text(trace: SearchTrace, texts: Mapping[int, str], row: int) -> str:
    """A hypothesis as people read it: its own text, else its tokens one after the other."""
    return texts[row] if row in texts else trace.text(row)


def counter_words(trace: SearchTrace, t: Translator) -> str:
    """What the search cost."""
    return t("{expansions} hypotheses extended, {calls} model calls, {scored} candidates compared.").format(
        expansions=trace.expansions, calls=trace.model_calls, scored=trace.candidates_scored
    )


def proof_words(trace: SearchTrace, t: Translator) -> str:
    """Whether the winner is proven to be the best of all; empty for searches that prove nothing."""
    if trace.config.search not in ("exact", "brute_force") or trace.best is None:
        return ""
    if trace.proven:
        return t("Proven: no sequence scores higher.")
    return t("Not proven within the budget: the optimum lies between {low} and {high}.").format(
        low=nats(float(trace.score[trace.best])), high=nats(trace.upper_bound)
    )


def alt_text(trace: SearchTrace, paths: tuple[SearchPath, ...], lost: str, read: ReadText, t: Translator) -> str:
    """What the picture shows, for readers who do not see it."""
    sentences = [
        t("Search tree of {search}: {count} hypotheses over {steps} steps.").format(
            search=search_title(trace, t), count=len(trace) - 1, steps=trace.steps
        )
    ]
    if trace.best is None:
        sentences.append(t("No hypothesis was completed."))
    else:
        sentences.append(
            t("Winner: {text}, P = {probability}, log P = {log_prob}.").format(
                text=clean(read(trace.best)),
                probability=f"{math.exp(trace.log_prob[trace.best]):.4g}",
                log_prob=nats(float(trace.log_prob[trace.best])),
            )
        )
    sentences += [
        t("{label}: {text}.").format(label=path.label, text=clean(path.words).removesuffix(".")) for path in paths
    ]
    return " ".join([*sentences, *([lost] if lost else [])])


def module_texts(trace: SearchTrace, t: Translator) -> dict[str, Any]:
    """Everything that the module says."""
    return {
        "toolbar": t("Steps of the search"),
        "first": t("Before the first step"),
        "back": t("One step back"),
        "play": t("Play"),
        "pause": t("Pause"),
        "forward": t("One step forward"),
        "last": t("The whole search"),
        "step": t("step {step} of {steps}"),
        "candidates": t("{expanded} × {n} = {count} candidates"),
        "cut": t("{kept} go on, {finished} finished"),
        "expansion": t("expansion {step} of {steps}"),
        "whole": t("the whole search"),
        "begin": t("the empty hypothesis"),
        "slider": t("Step"),
        "zoom_in": t("Larger"),
        "zoom_out": t("Smaller"),
        "fit": t("Fit the width"),
        "show": t("Show"),
        "all": t("all hypotheses"),
        "least": t("P of at least {share}"),
        "survivors": t("survivors only"),
        "until": t("up to step {step}"),
        "png": t("Save this picture as PNG"),
        "svg": t("Save this picture as SVG"),
        "alpha": t("Length normalisation α"),
        "alpha_now": t("Which finished hypothesis wins for which α? score = log P / L^α, now α = {alpha}"),
        "keys": t("Left and right: steps. Space: play. Up and down: hypotheses. Enter or click: search on from one."),
        "force": t("Click: force this beginning"),
        "start": t("start"),
        "given": t("P of this token"),
        "total": t("P of the whole"),
        "log_prob": t("log P (nats)"),
        "score": t("score at α = {alpha}"),
        "rank": t("rank in its step"),
        "margin": t("missing to the last survivor"),
        "samples": t("samples through here"),
        "next": t("next token"),
        "rest": t("all others"),
        "nats": t("nats"),
        "fates": {
            "open": t("kept"),
            "expanded": t("kept and extended"),
            "finished": t("finished"),
            "dropped": t("left out"),
            GHOST: t("never looked at"),
        },
        "reasons": reason_words(trace, t),
    }

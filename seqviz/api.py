"""The three-line library: load a model, trace a text, take a number apart, draw a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from seqviz.analysis.attention import of_head
from seqviz.charts.backflow import Run, backflow_figure
from seqviz.charts.figure import Figure
from seqviz.charts.gradient_scale import Scale
from seqviz.charts.search_tree import SearchTreeOptions
from seqviz.charts.translation_tree import translation_tree_figure
from seqviz.charts.unroll import UnrollOptions, unroll_figure
from seqviz.checkpoints import read_info, read_translator
from seqviz.config import DecodeConfig
from seqviz.errors import InvalidInputError
from seqviz.gradients import BackwardTrace
from seqviz.models.huggingface import AnyTranslator, LoadedOwnModel, load_own_model
from seqviz.models.loading import LoadedModel, LoadedTranslator, load_model, load_translator
from seqviz.own_models import is_own, own_fingerprint, own_folder
from seqviz.traces import RecurrentTrace, Structure, UnitSum
from seqviz.tracing import arithmetic, forward, gradients, translation
from seqviz.translation_searches import (
    DEFAULT_ALPHA,
    DEFAULT_BUDGET,
    TranslationSearches,
    Watch,
    exact_config,
    greedy_config,
    with_exact,
)
from seqviz.translations import ForcedTranslation, TranslationSearch
from seqviz.types import Direction


@lru_cache(maxsize=8)
def _cached(name: str, root: Path | None, _description: str) -> LoadedModel:
    # A retrained checkpoint has another description (hashes, configuration), and so is loaded anew.
    return load_model(name, root=root)


def load(name: str, *, root: Path | None = None) -> LoadedModel:
    """Loads a checkpoint by name, verified; the last eight are kept.

    Raises:
        UnknownNameError: there is no checkpoint of that name.
        CheckpointError: it is damaged, foreign or of a newer format.
    """
    return _cached(name, root, repr(read_info(name, root)))


def translator(name: str, *, root: Path | None = None) -> AnyTranslator:
    """Loads a translation model, verified; the last four are kept. Raises as ``load``.

    Args:
        name: of a checkpoint, of a folder in ``SEQVIZ_MODELS``, or the path of a folder with a model of the Hugging
            Face family (``docs/own_models.md``).
        root: folder of checkpoints.
    """
    if (root is None or is_own(name)) and own_folder(name) is not None:
        return _cached_own(name, own_fingerprint(name))
    return _cached_translator(name, root, repr(read_translator(name, root)))


@lru_cache(maxsize=4)
def _cached_translator(name: str, root: Path | None, _description: str) -> LoadedTranslator:
    return load_translator(name, root=root)


@lru_cache(maxsize=2)
def _cached_own(name: str, _files: str) -> LoadedOwnModel:
    return load_own_model(name)


def search_translation(
    name: str,
    text: str,
    *,
    config: DecodeConfig | None = None,
    budget: int = DEFAULT_BUDGET,
    root: Path | None = None,
    max_pieces: int | None = None,
) -> TranslationSearches:
    """Searches for the translation of a sentence, with greedy, beam and exact search beside it.

    Args:
        name: of a translation model; see ``translator``.
        text: the sentence, a task prefix of a T5 model before it.
        config: of the search that is shown; None for a beam of 5 ranked at α = 1.
        budget: hypotheses that the exact search may extend; 0 leaves it out.
        root: folder of checkpoints.
        max_pieces: longest sentence that is accepted; None for any.

    Raises:
        UnknownNameError: there is no checkpoint of that name.
        CheckpointError: it is damaged, foreign or of a newer format.
        InvalidInputError: the sentence is empty, or a setting is out of range.
    """
    loaded = translator(name, root=root)
    config = config or DecodeConfig(alpha=DEFAULT_ALPHA)

    def run(config: DecodeConfig, watch: Watch = ()) -> TranslationSearch:
        return translation.search_translation(loaded, text, config, watch=watch, max_pieces=max_pieces)

    shown = run(config)
    beam = shown if config.search == "beam" else run(replace(config, search="beam", groups=1))
    found = TranslationSearches(shown=shown, greedy=run(greedy_config(config)), beam=beam)
    return with_exact(found, run(exact_config(config, budget=budget)), run) if budget else found


def attention_weights(
    name: str,
    text: str,
    target: str | Sequence[int] | None = None,
    *,
    layer: int | None = None,
    head: int | None = None,
    root: Path | None = None,
    max_pieces: int | None = None,
) -> ForcedTranslation:
    """Scores a translation and keeps the weights of its attention; ``seqviz.analysis.attention`` reads them by words.

    Args:
        name: of a translation model; see ``translator``.
        text: the source.
        target: the translation as typed, or ids of its pieces with <eos>; None for what a beam of 5 finds.
        layer, head: of a Transformer's decoder, from 0; None for the highest layer, and for the mean over its heads.
        root: folder of checkpoints.
        max_pieces: longest text that is accepted on either side; None for any.

    Raises:
        InvalidInputError: a text is empty, no translation was found, or there is no such layer or head.
    """
    loaded = translator(name, root=root)
    if target is None:
        found = translation.search_translation(loaded, text, DecodeConfig(alpha=DEFAULT_ALPHA), max_pieces=max_pieces)
        if found.best is None or found.search.best is None or not found.search.ended(found.search.best):
            raise InvalidInputError("The search completed no translation; give one.")
        target = found.best.ids
    forced = translation.forced_translation(loaded, text, target, max_pieces=max_pieces, heads=True)
    return forced if layer is None and head is None else of_head(forced, layer=layer, head=head)


def search_figure(searches: TranslationSearches, *, options: SearchTreeOptions | None = None) -> Figure:
    """The search for a translation as a tree, as a picture for notebooks and files."""
    return translation_tree_figure(searches, options=options)


def trace(
    model: LoadedModel | str,
    text: str,
    *,
    structure: Structure | None = None,
    generate: int = 24,
    temperature: float = 0.0,
    seed: int = 1,
    targets: Sequence[str] = (),
    max_pieces: int | None = None,
) -> RecurrentTrace:
    """Runs a model, or the checkpoint of that name, on a text; see ``seqviz.tracing.forward.trace`` for the options."""
    return forward.trace(
        load(model) if isinstance(model, str) else model,
        text,
        structure=structure,
        generate=generate,
        temperature=temperature,
        seed=seed,
        targets=targets,
        max_pieces=max_pieces,
    )


def backward(
    model: LoadedModel | str,
    text: str,
    *,
    loss_step: int | None = None,
    multiplier: float = 1.0,
    targets: Sequence[str] = (),
    max_pieces: int | None = None,
    weights: bool = True,
) -> BackwardTrace:
    """Carries the loss of a text back to every step; see ``seqviz.tracing.gradients.backward`` for the options."""
    return gradients.backward(
        load(model) if isinstance(model, str) else model,
        text,
        loss_step=loss_step,
        multiplier=multiplier,
        targets=targets,
        max_pieces=max_pieces,
        weights=weights,
    )


def unit_sum(
    model: LoadedModel | str,
    trace: RecurrentTrace,
    *,
    layer: int = 0,
    direction: Direction = "forward",
    step: int,
    unit: int,
    block: str,
) -> UnitSum:
    """Takes one pre-activation of a trace apart; see ``seqviz.tracing.arithmetic.unit_sum``."""
    loaded = load(model) if isinstance(model, str) else model
    return arithmetic.unit_sum(loaded, trace, layer=layer, direction=direction, step=step, unit=unit, block=block)


def figure(
    trace: RecurrentTrace, *, compare: RecurrentTrace | None = None, options: UnrollOptions | None = None
) -> Figure:
    """The unrolled network of a trace as a picture for notebooks and files."""
    return unroll_figure(trace, options=options or UnrollOptions(), compare=compare)


def gradient_figure(
    trace: RecurrentTrace,
    backward: BackwardTrace,
    *,
    scale: Scale = "log",
    options: UnrollOptions | None = None,
) -> Figure:
    """The loss of a trace on its way back, as a picture for notebooks and files.

    Args:
        trace: of a text.
        backward: of the same text by the same model, from ``seqviz.backward``.
        scale: ``"log"`` or ``"relative"``.
        options: as for ``figure``; None draws the way through the cell states too.
    """
    run = Run(forward=trace, backward=backward)
    return backflow_figure(run, scale=scale, options=options or UnrollOptions(show_cell_state=True))

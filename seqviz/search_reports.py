"""Searches side by side and error analysis in one call each, for notebooks and the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqviz.api import translator
from seqviz.comparison import BEAM_SIZES, ComparedSearch, compared, compared_configs
from seqviz.error_report import ErrorReport, ErrorReportConfig
from seqviz.models.huggingface import AnyTranslator
from seqviz.pair_files import SentencePair
from seqviz.tracing.error_report import error_report
from seqviz.tracing.translation import search_translation
from seqviz.translation_searches import DEFAULT_BUDGET, exact_config


def compare_searches(
    model: AnyTranslator | str,
    text: str,
    *,
    references: Sequence[str] = (),
    beam_sizes: Sequence[int] = BEAM_SIZES,
    alpha: float = 0.0,
    seed: int = 1,
    exact_budget: int = DEFAULT_BUDGET,
) -> tuple[ComparedSearch, ...]:
    """Translates a sentence by greedy search, beams, sampling and exact search.

    Args:
        model: a translation model, the name of its checkpoint, or the folder of an own model.
        text: the source.
        references: translations by people, for BLEU.
        beam_sizes: B of each beam search.
        alpha: of the length normalisation (1/L^α) Σ log p.
        seed: of the sampling.
        exact_budget: hypotheses that the exact search may extend; 0 leaves it out.

    Returns:
        One line a search, greedy first.
    """
    loaded = translator(model) if isinstance(model, str) else model
    configs = compared_configs(beam_sizes=beam_sizes, seed=seed)
    if exact_budget:
        configs["exact"] = exact_config(configs["greedy"], alpha=alpha, budget=exact_budget)
    return tuple(
        compared(name, search_translation(loaded, text, config), alpha=alpha, references=references)
        for name, config in configs.items()
    )


def judge_pairs(
    model: AnyTranslator | str,
    pairs: Iterable[SentencePair | tuple[str, str]],
    *,
    beam_size: int = 5,
    wider: int = 20,
    alpha: float = 0.0,
) -> ErrorReport:
    """Judges pairs of source and human translation: is the search at fault, or the model (syllabus S6)?

    Args:
        model: a translation model, the name of its checkpoint, or the folder of an own model.
        pairs: what to judge.
        beam_size, wider, alpha: as in ``ErrorReportConfig``.
    """
    loaded = translator(model) if isinstance(model, str) else model
    config = ErrorReportConfig(model=loaded.info.name, beam_size=beam_size, wider=wider, alpha=alpha)
    made = [
        pair if isinstance(pair, SentencePair) else SentencePair(source=pair[0], reference=pair[1]) for pair in pairs
    ]
    return error_report(loaded, made, config)

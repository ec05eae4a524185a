"""Translations judged: searches side by side, a pair piece by piece, whose fault errors are, BLEU by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.beam_sizes import bleu_chart, log_prob_chart
from seqviz.charts.compared_table import compared_page, ngram_page
from seqviz.charts.error_shares import score_chart, share_chart
from seqviz.charts.forced_steps import parting_step, step_chart, sum_chart
from seqviz.charts.palette import Theme
from seqviz.config import DecodeConfig
from seqviz.error_report import MAX_TARGET, ErrorReport
from seqviz.errors import InvalidInputError
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.corpus_bleu import bleu_tokens
from seqviz.pair_files import SentencePair, lesson_pairs, lesson_set
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, PagePicture, ask, chart_picture
from seqviz.search_reports import compare_searches, judge_pairs
from seqviz.translations import ForcedTranslation


def side_by_side(
    model: str,
    text: str,
    *,
    references: Sequence[str] = (),
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> PagePicture:
    """Greedy search, beams, sampling and exact search in one table, with BLEU where there is a translation by a person.

    Args:
        model: name of a translation checkpoint.
        text: the source.
        references: translations by people.
        alpha: of the length normalisation.
        appearance: how it looks.
    """
    rows = compare_searches(model, text, references=references, alpha=alpha)

    def draw(theme: Theme) -> str:
        return compared_page(
            rows, source=text, references=references, alpha=alpha, language=appearance.tag, **appearance.look(theme)
        )

    return PagePicture(draw=draw, title=f"{model}: {text}")


def pair_steps(
    model: str,
    text: str,
    reference: str,
    *,
    beam_size: int = 5,
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """What each piece of a person's translation and of the model's costs: is the search at fault, or the model?

    Args:
        model: name of a translation checkpoint.
        text: the source.
        reference: the translation by a person, y*.
        beam_size, alpha: of the search that finds the model's, ŷ.
        appearance: how it looks.

    Raises:
        InvalidInputError: a text is empty, or the search completed no translation.
    """
    human, output = _pair(model, text, reference, beam_size, alpha)
    steps = max(len(human.target), len(output.target))
    step = min(parting_step(human, output) or 0, steps - 1)
    make = partial(step_chart, human, output, step=step)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def pair_sums(
    model: str,
    text: str,
    reference: str,
    *,
    beam_size: int = 5,
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The running sums of log p of both translations; arguments as in ``pair_steps``."""
    human, output = _pair(model, text, reference, beam_size, alpha)
    return chart_picture(partial(sum_chart, human, output), title=f"{model}: {text}", appearance=appearance)


def error_shares(
    report: ErrorReport | str,
    pairs: Sequence[SentencePair | tuple[str, str]] = (),
    *,
    drawn: Literal["shares", "scores"] = "shares",
    beam_size: int = 2,
    wider: int = 20,
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """Whose fault the errors of many translations are, the search's or the model's (the app's Error analysis).

    Args:
        report: what ``seqviz.judge_pairs`` has found; or the name of a translation checkpoint, whose pairs are judged.
        pairs: source and translation by a person; none for the 40 that come with seqviz.
        drawn: ``"shares"`` for one bar, ``"scores"`` for both scores of every pair.
        beam_size, wider, alpha: as in ``ErrorReportConfig``.
        appearance: how it looks.

    Raises:
        InvalidInputError: no pairs come with seqviz for these languages, or none could be judged.
    """
    if isinstance(report, str):
        judged = judge_pairs(report, pairs or _lesson_pairs(report), beam_size=beam_size, wider=wider, alpha=alpha)
    else:
        judged = report
    if not judged.judged:
        raise judged.skipped[0].error if judged.skipped else InvalidInputError("No pair is judged yet.")
    make = partial(share_chart if drawn == "shares" else score_chart, judged)
    return chart_picture(make, title=judged.config.model, appearance=appearance)


def beam_sizes(
    model: str,
    text: str,
    *,
    references: Sequence[str] = (),
    drawn: Literal["log_prob", "bleu"] = "log_prob",
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """log P or BLEU of the translation against the size of the beam: wider is not always better.

    Args:
        model, text, references, alpha: as in ``side_by_side``.
        drawn: ``"log_prob"`` or ``"bleu"``.
        appearance: how it looks.

    Raises:
        InvalidInputError: BLEU without a translation by a person.
    """
    if drawn == "bleu" and not references:
        raise InvalidInputError("This picture needs a translation by a person: the reference.")
    rows = compare_searches(model, text, references=references, alpha=alpha)
    make = partial(log_prob_chart if drawn == "log_prob" else bleu_chart, rows)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def bleu(
    candidate: str,
    references: Sequence[str],
    *,
    max_n: int = 4,
    ignore_case: bool = True,
    appearance: Appearance = DEFAULT,
) -> PagePicture:
    """BLEU by hand: every n-gram of a translation, how often it is there and how often it counts.

    Args:
        candidate: the translation that is judged.
        references: translations by people, at least one.
        max_n: longest n-gram.
        ignore_case: "The" and "the" are one word, as in the lecture.
        appearance: how it looks.

    Raises:
        InvalidInputError: a text is empty.
    """
    tokens = bleu_tokens(candidate, lowercase=ignore_case)
    known = [bleu_tokens(one, lowercase=ignore_case) for one in references if one.strip()]
    if not tokens or not known:
        raise InvalidInputError("A candidate and at least one reference are needed.")
    table = bleu_table(tokens, known[0], others=known[1:], max_n=max_n)

    def draw(theme: Theme) -> str:
        return ngram_page(
            table, candidate=candidate, references=references, language=appearance.tag, **appearance.look(theme)
        )

    return PagePicture(draw=draw, title=candidate)


def _lesson_pairs(model: str) -> Sequence[SentencePair]:
    name = lesson_set(model)
    if name is None:
        raise InvalidInputError(
            "Our pairs are French and English, which this model does not read; give pairs of your own."
        )
    return lesson_pairs(name)


def _pair(
    model: str, text: str, reference: str, beam_size: int, alpha: float
) -> tuple[ForcedTranslation, ForcedTranslation]:
    if not reference.strip():
        raise InvalidInputError("This picture needs a translation by a person: the reference.")
    human = ask(ForcedRequest(model=model, text=text, target=reference))
    config = DecodeConfig(beam_size=beam_size, max_length=MAX_TARGET, alpha=alpha)
    found = ask(SearchRequest(model=model, text=text, config=config, watch=(human.target.ids,)))
    best = found.search.best
    if best is None:
        raise InvalidInputError("The search completed no translation; try a wider beam.")
    ended = found.search.ended(best)
    output = ForcedRequest(
        model=model,
        text=text,
        target="" if ended else found.targets[best].text,
        ids=found.search.tokens(best) if ended else (),
    )
    return human, ask(output)

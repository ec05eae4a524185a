"""Translations: the encoder-decoder unrolled, searches side by side, a pair piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

from seqviz.backends.translation_requests import ForcedRequest, NetworkRequest, SearchRequest
from seqviz.charts.compared_table import compared_page
from seqviz.charts.encoder_decoder import encoder_decoder_figure
from seqviz.charts.figure import Figure
from seqviz.charts.forced_steps import parting_step, step_chart, sum_chart
from seqviz.charts.palette import Theme
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.config import DecodeConfig
from seqviz.error_report import MAX_TARGET
from seqviz.errors import InvalidInputError
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, TablePicture, ask
from seqviz.search_reports import compare_searches
from seqviz.translations import ForcedTranslation


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


def side_by_side(
    model: str,
    text: str,
    *,
    references: Sequence[str] = (),
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> TablePicture:
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
        return compared_page(rows, source=text, references=references, alpha=alpha, **appearance.look(theme))

    return TablePicture(draw=draw, title=f"{model}: {text}")


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

    def draw(theme: Theme) -> object:
        return step_chart(human, output, step=step, **appearance.look(theme))

    return ChartPicture(draw=draw, title=f"{model}: {text}", language=appearance.tag)  # type: ignore[arg-type]


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

    def draw(theme: Theme) -> object:
        return sum_chart(human, output, **appearance.look(theme))

    return ChartPicture(draw=draw, title=f"{model}: {text}", language=appearance.tag)  # type: ignore[arg-type]


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

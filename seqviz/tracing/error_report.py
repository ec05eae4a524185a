"""A translation model and sentence pairs to an error report: every pair searched twice and scored once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from seqviz.decoding.scores import hypothesis_score
from seqviz.decoding.trace import SearchTrace
from seqviz.error_report import (
    Blame,
    ErrorNews,
    ErrorReport,
    ErrorReportConfig,
    JudgedPair,
    Scored,
    SkippedPair,
    merged_report,
)
from seqviz.errors import InvalidInputError, SeqvizError
from seqviz.metrics.corpus_bleu import sentence_bleu
from seqviz.metrics.error_analysis import analyse_error
from seqviz.models.huggingface import AnyTranslator
from seqviz.pair_files import SentencePair
from seqviz.tracing.translation import forced_translation, search_translation


def judge_pair(
    loaded: AnyTranslator,
    pair: SentencePair,
    config: ErrorReportConfig,
    *,
    number: int = 1,
    max_pieces: int | None = None,
) -> JudgedPair:
    """Searches for ŷ, narrow and wide, scores y*, and says whose fault it is that they differ.

    Args:
        loaded: the model.
        pair: source and y*.
        config: of both searches.
        number: place in the file.
        max_pieces: longest source and reference that are accepted; None for any.

    Raises:
        InvalidInputError: one of the texts is empty, or no search completed a translation.
        TextTooLongError: one of them has more pieces than ``max_pieces``.
    """
    forced = forced_translation(loaded, pair.source, pair.reference, max_pieces=max_pieces)
    reference = Scored(
        text=pair.reference,
        log_prob=forced.log_prob,
        length=len(forced.target),
        score=hypothesis_score(forced.log_prob, len(forced.target), alpha=config.alpha),
        bleu=100.0,
    )
    narrow = _search(loaded, pair, config, config.beam_size)
    wider = _search(loaded, pair, config, config.wider)
    output, steps = _scored(narrow, loaded, pair, config)
    verdict = analyse_error(forced.log_probs.tolist(), steps, alpha=config.alpha).verdict
    # What reads the same is the same, in whatever pieces: rounding must not make an error of it.
    blame: Blame = "none" if output.text == forced.target.text else verdict
    return JudgedPair(
        number=number,
        source=pair.source,
        reference=reference,
        output=output,
        wider=_scored(wider, loaded, pair, config)[0],
        blame=blame,
    )


def _search(loaded: AnyTranslator, pair: SentencePair, config: ErrorReportConfig, beam_size: int) -> SearchTrace:
    return search_translation(loaded, pair.source, config.search(beam_size)).search


def _scored(
    trace: SearchTrace, loaded: AnyTranslator, pair: SentencePair, config: ErrorReportConfig
) -> tuple[Scored, list[float]]:
    """The winner, and the log probability of each of its pieces."""
    if trace.best is None:
        raise InvalidInputError("The search completed no translation within {limit} pieces.", limit=config.max_length)
    path = trace.path(trace.best)
    text = loaded.encoder.decode(trace.tokens(trace.best))
    scored = Scored(
        text=text,
        log_prob=float(trace.log_prob[trace.best]),
        length=len(path),
        score=float(trace.score[trace.best]),
        bleu=sentence_bleu(text, [pair.reference]).score,
    )
    return scored, [float(trace.token_log_prob[row]) for row in path]


class ErrorRun:
    """Judges pairs one by one; what cannot be judged is left out with its reason.

    Args:
        loaded: the model.
        pairs: what to judge.
        config: how.
        max_pieces: longest source and reference that are accepted; None for any.
    """

    def __init__(
        self,
        loaded: AnyTranslator,
        pairs: Sequence[SentencePair],
        config: ErrorReportConfig,
        *,
        max_pieces: int | None = None,
    ) -> None:
        self._loaded, self._pairs, self._config, self._max_pieces = loaded, tuple(pairs), config, max_pieces
        self._done, self._seconds = 0, 0.0
        self._judged: list[JudgedPair] = []
        self._skipped: list[SkippedPair] = []

    def advance(self) -> bool:
        """Judges one pair; False once none is left."""
        if self._done < len(self._pairs):
            pair, started = self._pairs[self._done], time.monotonic()
            self._done += 1
            try:
                self._judged.append(
                    judge_pair(self._loaded, pair, self._config, number=self._done, max_pieces=self._max_pieces)
                )
            except SeqvizError as error:
                self._skipped.append(
                    SkippedPair(number=self._done, source=pair.source, reference=pair.reference, error=error)
                )
            self._seconds += time.monotonic() - started
        return self._done < len(self._pairs)

    def news(self) -> ErrorNews:
        """Everything since the last call."""
        judged, self._judged = tuple(self._judged), []
        skipped, self._skipped = tuple(self._skipped), []
        left = len(self._pairs) - self._done
        return ErrorNews(
            judged=judged,
            skipped=skipped,
            total=len(self._pairs),
            seconds_left=left * self._seconds / self._done if self._done else None,
        )


def error_report(loaded: AnyTranslator, pairs: Sequence[SentencePair], config: ErrorReportConfig) -> ErrorReport:
    """Judges all pairs at once."""
    run = ErrorRun(loaded, pairs, config)
    while run.advance():
        pass
    return merged_report(config, len(pairs), [run.news()])

"""The small checks behind the lessons, by the names that the files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seqviz.errors import InvalidInputError, SeqvizError, unknown_name
from seqviz.lessons import claims_attention, claims_gates, claims_sequences, claims_states, claims_time
from seqviz.lessons.catalogue import Lesson
from seqviz.lessons.finding import Ask, Finding

Claim = Callable[..., Finding]
"""Called with what answers requests, and the lesson's parameters by name."""

CLAIMS: Mapping[str, Claim] = MappingProxyType(
    {
        "same_word_twice": claims_states.same_word_twice,
        "word_that_turns": claims_states.word_that_turns,
        "same_words": claims_states.same_words,
        "output_at_a_word": claims_states.output_at_a_word,
        "tags_of_names": claims_states.tags_of_names,
        "shared_gradient": claims_time.shared_gradient,
        "error_multiplied": claims_time.error_multiplied,
        "left_after": claims_time.left_after,
        "number_held": claims_time.number_held,
        "clipped": claims_time.clipped,
        "self_links": claims_time.self_links,
        "state_kept": claims_gates.state_kept,
        "output_gate_shut": claims_gates.output_gate_shut,
        "unit_carries_number": claims_gates.unit_carries_number,
        "most_units": claims_gates.most_units,
        "bleu_precision": claims_sequences.bleu_precision,
        "greedy_against_best": claims_sequences.greedy_against_best,
        "beam_needed": claims_sequences.beam_needed,
        "winner_by_alpha": claims_sequences.winner_by_alpha,
        "who_is_at_fault": claims_sequences.who_is_at_fault,
        "kept_when_long": claims_attention.kept_when_long,
        "scores_shifted": claims_attention.scores_shifted,
        "looks_at": claims_attention.looks_at,
        "rows_when_columns_are_even": claims_attention.rows_when_columns_are_even,
    }
)


def check(lesson: Lesson, ask: Ask) -> Finding:
    """Asks the models.

    Args:
        lesson: whose claim is checked.
        ask: answers its requests, as ``Backend.ask``.

    Raises:
        UnknownNameError: there is no such claim, or a model that it needs is not installed.
        InvalidInputError: a model of that name is another one than the lesson was written for.
        SeqvizError: what a request raises.
    """
    if lesson.claim not in CLAIMS:
        raise unknown_name("claim", lesson.claim, CLAIMS)
    try:
        return CLAIMS[lesson.claim](ask, **lesson.parameters)
    except SeqvizError:
        raise
    except (ValueError, LookupError) as error:  # another model of that name: other labels, other pieces
        raise InvalidInputError(
            "Lesson {id} does not fit the installed models: {reason}.", id=lesson.id, reason=error
        ) from error

from __future__ import annotations

import pickle

import pytest

from seqviz import errors
from seqviz.errors import SeqvizError, TextTooLongError, UnknownNameError, unknown_name

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SeqvizError)]


def test_the_sentence_is_the_template_with_its_parameters():
    error = TextTooLongError("The text has {count} pieces; the limit is {limit}.", count=9, limit=5)
    assert str(error) == "The text has 9 pieces; the limit is 5."
    assert error.template == "The text has {count} pieces; the limit is {limit}."
    assert error.parameters == {"count": 9, "limit": 5}


def test_braces_in_a_value_are_shown_as_they_are():
    error = SeqvizError("{path} is not a tokenizer.", path="{evil}.json")
    assert str(error) == "{evil}.json is not a tokenizer."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_crosses_a_process_border_whole(kind):
    error = pickle.loads(pickle.dumps(kind("{field} is {value}.", field="step", value=3)))
    assert type(error) is kind
    assert (str(error), error.parameters) == ("step is 3.", {"field": "step", "value": 3})


def test_an_unknown_name_names_the_field_the_value_and_the_choices():
    error = unknown_name("cell", "rnn", ("gru", "lstm"))
    assert str(error) == "cell 'rnn' is not known; known are: gru, lstm."
    assert isinstance(error, UnknownNameError)
    assert isinstance(error, ValueError)
    assert isinstance(error, LookupError)


@pytest.mark.parametrize("kind", [errors.BackendBusyError, errors.DeadlineError, errors.WorkerDiedError])
def test_faults_of_the_backend_can_be_caught_together(kind):
    assert issubclass(kind, errors.BackendError)

"""The library as a notebook uses it."""

from __future__ import annotations

import numpy as np
import pytest

import seqviz
from seqviz.errors import UnknownNameError
from tests.helpers import write_tiny_checkpoint


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    write_tiny_checkpoint(tmp_path, name="tiny")
    return tmp_path


def test_every_public_name_is_there_and_documented():
    for name in seqviz.__all__:
        assert name == "__version__" or getattr(seqviz, name).__doc__
    assert dir(seqviz) == sorted(seqviz.__all__)


def test_a_name_that_is_not_there_is_said():
    with pytest.raises(AttributeError, match="module 'seqviz' has no attribute 'decode_all'"):
        seqviz.decode_all  # noqa: B018


def test_three_lines_trace_a_text(tiny):
    trace = seqviz.trace("tiny", "To be")
    assert trace.layer(0).gates["forget_gate"].shape == (5, 8)
    found = seqviz.unit_sum("tiny", trace, step=2, unit=3, block="forget_gate")
    assert found.total == pytest.approx(found.pre_activation, abs=1e-5)


def test_a_model_may_be_given_in_place_of_its_name(tiny):
    loaded = seqviz.load("tiny")
    np.testing.assert_array_equal(seqviz.trace(loaded, "To be").logits, seqviz.trace("tiny", "To be").logits)


def test_a_model_is_loaded_once_and_again_when_its_files_change(tiny):
    first = seqviz.load("tiny")
    assert seqviz.load("tiny") is first
    write_tiny_checkpoint(tiny, name="tiny", seed=2)
    assert seqviz.load("tiny") is not first


def test_an_unknown_model_is_refused_with_the_known_ones(tiny):
    with pytest.raises(UnknownNameError, match="known are: tiny"):
        seqviz.trace("huge", "To be")


def test_a_figure_shows_itself_in_a_notebook(tiny):
    html = seqviz.figure(seqviz.trace("tiny", "To be"))._repr_html_()
    assert "<svg" in html or "<script" in html or "<iframe" in html


def test_three_lines_draw_the_gradients_of_a_text(tiny):
    trace, backward = seqviz.trace("tiny", "To be"), seqviz.backward("tiny", "To be", loss_step=2)
    figure = seqviz.gradient_figure(trace, backward)
    assert figure.payload["focus"]["step"] == 2
    assert "∂L/∂" in figure.svg

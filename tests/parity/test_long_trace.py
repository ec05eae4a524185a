"""A long trace, made in chunks, against the trace of the whole text at once; saturation against a plain count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, TextTooLongError, UnknownNameError
from seqviz.models.loading import LoadedModel, load_model
from seqviz.tracing.forward import trace
from seqviz.tracing.long_trace import LongTrace
from tests.helpers import write_tiny_checkpoint

TEXT = "To be, or not to be: that is the question.\nWhether 'tis nobler in the mind to suffer " * 3
NEWS = "Yesterday, Harry Potter met Hermione Granger. I like this movie! " * 12
EXACT = 2e-6
HALF = 2.0**-11
"""float16 between -1 and 1 is off by at most half a step of 2**-11 times the value."""


def load(root: Path, **options: object) -> LoadedModel:
    write_tiny_checkpoint(root, name="tiny", **options)
    return load_model("tiny", root=root)


def read(long: LongTrace) -> LongTrace:
    while not long.advance().finished:
        pass
    return long


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_cell_in_chunks_equals_the_whole(tmp_path: Path, cell: str):
    loaded = load(tmp_path, cell=cell, num_layers=2)
    compare(read(LongTrace(loaded, TEXT, chunk_steps=60)), loaded, TEXT)


@pytest.mark.parametrize("task", ["tagging", "classification"])
def test_both_directions_and_word_parts_equal_the_whole(tmp_path: Path, task: str):
    loaded = load(tmp_path, task=task, bidirectional=True, num_layers=2, subword_buckets=20)
    compare(read(LongTrace(loaded, NEWS, chunk_steps=50)), loaded, NEWS)


def compare(long: LongTrace, loaded: LoadedModel, text: str) -> None:
    whole = trace(loaded, text)
    assert [(shape.layer, shape.direction) for shape in long.shapes] == [(x.layer, x.direction) for x in whole.layers]
    for shape, layer in zip(long.shapes, whole.layers, strict=True):
        assert shape.quantities == tuple(layer.quantities())
        for name, expected in layer.quantities().items():
            values = long.values(shape.layer, shape.direction, name)
            assert values.shape == expected.shape
            if name in ("hidden_state", "cell_state"):
                assert values.dtype == np.float32
                np.testing.assert_allclose(values, expected, rtol=EXACT, atol=EXACT)
            else:
                assert values.dtype == np.float16
                np.testing.assert_allclose(values, expected, rtol=HALF, atol=EXACT)


def test_saturation_is_a_plain_count_of_exact_gates(tmp_path: Path):
    loaded = load(tmp_path, num_layers=2)
    # Larger weights, so that gates saturate.
    for parameter in loaded.model.stack.parameters():
        parameter.mul_(6.0)
    whole = trace(loaded, TEXT)
    counted = read(LongTrace(loaded, TEXT, chunk_steps=70)).saturation()
    assert [(g.layer, g.gate) for g in counted.gates] == [
        (layer, gate) for layer in (0, 1) for gate in ("input_gate", "forget_gate", "output_gate")
    ]
    shares = []
    for gate in counted.gates:
        exact = whole.layer(gate.layer).gates[gate.gate]
        assert gate.counts.sum(1).tolist() == [len(whole)] * 8
        left, right = gate.saturation(0.1, 0.9)
        np.testing.assert_allclose(left, (exact < 0.1).mean(0), atol=1.5 / len(whole))
        np.testing.assert_allclose(right, (exact > 0.9).mean(0), atol=1.5 / len(whole))
        shares += [left.max(), right.max()]
    assert max(shares) > 0.3


def test_pieces_stand_where_they_stand_in_the_text(tmp_path: Path):
    text = 'He said ,  "Teddy bears\nare on sale !" 😀 字'
    long = read(LongTrace(load(tmp_path, task="tagging"), text)).text()
    assert long.kind == "word"
    pieces = [long.piece(step) for step in range(len(long))]
    assert pieces == ["He", "said", ",", '"', "Teddy", "bears", "are", "on", "sale", "!", '"', "😀", "字"]
    assert long.span(4, 7) == "Teddy bears\nare"
    assert long.unknown[-1] == 1
    whole = read(LongTrace(load(tmp_path / "c"), "ab\n字")).text()
    assert (whole.kind, whole.starts.tolist(), whole.unknown.tolist()) == ("character", [0, 1, 2, 3], [0, 0, 0, 1])


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_what_the_model_writes_is_what_the_plain_generation_writes(tmp_path: Path, temperature: float):
    loaded = load(tmp_path, num_layers=2)
    plain = trace(loaded, "T", structure="one_to_many", generate=120, temperature=temperature, seed=3)
    long = read(LongTrace(loaded, "T", write=120, temperature=temperature, seed=3, chunk_steps=50))
    text = long.text()
    assert text.text == "".join(plain.originals)
    assert (len(text), text.first_written) == (121, 1)
    np.testing.assert_allclose(long.values(1, "forward", "hidden_state"), plain.layer(1).hidden_state, atol=EXACT)


def test_a_word_model_writes_words_apart_and_lines(tmp_path: Path):
    loaded = load(tmp_path, words=True)
    long = read(LongTrace(loaded, "The cat", write=80, temperature=1.0, seed=1)).text()
    assert long.text.startswith("The cat ")
    assert [long.piece(step) for step in range(2)] == ["The", "cat"]
    assert len(long) == 82
    assert all(long.piece(step) for step in range(82))
    again = read(LongTrace(loaded, "The cat", write=80, temperature=1.0, seed=1)).text()
    assert again.text == long.text


def test_it_pauses_after_a_chunk_and_says_how_far_it_is(tmp_path: Path):
    long = LongTrace(load(tmp_path, num_layers=2), TEXT[:100], chunk_steps=40)
    done = [long.advance().done for _ in range(7)]
    assert done == [40, 80, 100, 140, 180, 200, 200]
    assert long.progress().finished
    assert long.num_bytes == 2 * 100 * 8 * (4 * 2 + 2 * 4)


def test_what_is_wrong_is_said(tmp_path: Path):
    loaded = load(tmp_path)
    with pytest.raises(InvalidInputError, match="nothing to read"):
        LongTrace(loaded, "")
    with pytest.raises(TextTooLongError, match="20001 pieces; the limit is 20000") as caught:
        LongTrace(loaded, "a" * 20_001)
    assert caught.value.parameters["end"] == 20_000
    with pytest.raises(TextTooLongError) as caught:
        LongTrace(load(tmp_path / "w", task="tagging"), "good  bad good", max_pieces=2)
    assert caught.value.parameters["end"] == len("good  bad")
    with pytest.raises(InvalidInputError, match="Only a language model"):
        LongTrace(load(tmp_path / "t", task="tagging"), "good", write=5)
    with pytest.raises(UnknownNameError, match="reset_gate"):
        read(LongTrace(loaded, "ab")).layers("reset_gate")

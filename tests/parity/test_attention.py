"""Attention against a second derivation: scores term by term, edits step by step, readings by brute force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from seqviz.analysis.attention import attention_grid, by_words
from seqviz.attention import AttentionEdit
from seqviz.config import SCORE_NAMES, DecodeConfig
from seqviz.decoding import search
from seqviz.errors import InvalidInputError
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.tracing.attention import attention_step
from seqviz.tracing.attention_edit import OverriddenSteps, Overrides, edited_translation
from seqviz.tracing.attention_readings import readings
from seqviz.tracing.translation import forced_translation
from seqviz.tracing.translator_steps import TranslatorSteps
from tests.helpers import write_tiny_translator

TEXT, TARGET = "Le chat dort.", "The cat is sleeping."
BEAM = DecodeConfig(search="beam", beam_size=3, max_length=12, alpha=1.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("checkpoints")

    def load(score: str = "additive", **options) -> LoadedTranslator:
        name = f"tiny-{score.replace('_', '-')}"
        if not (root / name).exists():
            write_tiny_translator(root, name=name, score=score, **options)
        return load_translator(name, root=root)

    return load


def by_hand(loaded: LoadedTranslator, source, written, weights=None):
    """log P of the next piece after ``written``; ``weights[step]`` takes the place of the softmax of that step."""
    model = loaded.model
    with torch.inference_mode():
        memory = model.encode(torch.tensor([list(source)]))
        carries, rows = memory.first, []
        for step, previous in enumerate((BOS_ID, *written)):
            x = model.embed(torch.tensor([previous]))
            carry, state = model._cell_step(0, x, carries[0])
            scores = model.score(state.unsqueeze(1), memory.keys)[0, 0]
            alpha = torch.softmax(scores, -1)
            if weights is not None and weights.get(step) is not None:
                alpha = torch.tensor(weights[step], dtype=torch.float32)
            seen = sum(alpha[i] * memory.values[0, i] for i in range(len(alpha))).unsqueeze(0)
            after = [carry]
            for layer in range(1, len(model.decoder)):
                carry, state = model._cell_step(layer, torch.cat([state, seen], -1), carries[layer])
                after.append(carry)
            carries = after
            readout = torch.tanh(model.readout(torch.cat([state, seen, x], -1)))
            rows.append((torch.log_softmax(model.logits(readout), -1)[0].numpy(), alpha.numpy(), seen[0].numpy()))
    return rows


@pytest.mark.parametrize("score", [name for name in SCORE_NAMES if name != "none"])
def test_the_terms_of_every_score_add_up_to_it_and_the_context_is_the_weighted_sum(tiny, score: str):
    loaded = tiny(score)
    step = attention_step(loaded, TEXT, TARGET, step=2)
    own = step.factor * (step.right.astype(np.float64) @ step.left.astype(np.float64))
    assert step.scores == pytest.approx(own, abs=1e-5)
    exponents = np.exp(step.scores.astype(np.float64) - step.scores.max())
    assert step.weights == pytest.approx(exponents / exponents.sum(), abs=1e-6)
    assert float(step.weights.sum()) == pytest.approx(1, abs=1e-6)
    assert step.context == pytest.approx(step.weights @ step.encoder_states, abs=1e-6)
    log_probs, alpha, seen = by_hand(loaded, step.source.ids, step.target.ids[:2])[2]
    assert step.weights == pytest.approx(alpha, abs=1e-6)
    assert step.context == pytest.approx(seen, abs=1e-5)
    assert step.log_prob == pytest.approx(float(log_probs[step.target.ids[2]]), abs=1e-5)


def test_a_step_has_the_weights_and_the_probability_of_the_whole_map(tiny):
    loaded = tiny()
    whole = forced_translation(loaded, TEXT, TARGET)
    assert whole.attention is not None
    for place in (0, 3, len(whole.target) - 1):
        step = attention_step(loaded, TEXT, TARGET, step=place)
        assert step.weights == pytest.approx(whole.attention[place], abs=1e-6)
        assert step.log_prob == pytest.approx(float(whole.log_probs[place]), abs=1e-5)


def test_rows_sum_to_one_by_pieces_and_by_words(tiny):
    whole = forced_translation(tiny(), TEXT, TARGET)
    for unit in ("pieces", "words"):
        assert attention_grid(whole, unit).weights.sum(1) == pytest.approx(1, abs=1e-6)


def test_without_overrides_the_steps_are_the_model_s_own(tiny):
    loaded = tiny()
    source = loaded.encoder.encode(TEXT).ids
    plain = TranslatorSteps(loaded, source)
    overridden = OverriddenSteps(loaded.decoder, plain, Overrides({}))
    first, second = search(plain, BEAM), search(overridden, BEAM)
    assert first.token.tolist() == second.token.tolist()
    # The plain steps multiply with packed weights: the same numbers to float32's rounding.
    assert first.log_prob == pytest.approx(second.log_prob, abs=1e-5)


@pytest.mark.parametrize("kind", ["set", "force", "freeze"])
def test_an_edit_changes_its_step_and_the_rest_is_decoded_under_it(tiny, kind: str):
    loaded = tiny()
    whole = forced_translation(loaded, TEXT, TARGET)
    assert whole.attention is not None
    count = len(whole.source)
    weights = tuple(float(i + 1) for i in range(count))
    edit = AttentionEdit(step=3, kind=kind, weights=weights, word=1)
    edited = edited_translation(loaded, TEXT, TARGET, [edit], BEAM)
    start, end = whole.source.words[1]
    row = {
        "set": np.array(weights) / sum(weights),
        "force": np.where((np.arange(count) >= start) & (np.arange(count) < end), whole.attention[3], 0),
        "freeze": whole.attention[3],
    }[kind].astype(np.float64)
    row = row / row.sum()
    in_use = dict.fromkeys(range(3, 40) if kind == "freeze" else [3], row)
    after = edited.after.target.ids
    assert after[:3] == whole.target.ids[:3]
    rows = by_hand(loaded, whole.source.ids, after[:-1], in_use)
    assert edited.steps[0].after == pytest.approx(row, abs=1e-6)
    assert edited.after.attention == pytest.approx(np.stack([alpha for _, alpha, _ in rows]), abs=1e-5)
    own = [float(log_probs[token]) for (log_probs, _, _), token in zip(rows, after, strict=True)]
    assert edited.after.log_probs == pytest.approx(own, abs=1e-4)
    changed = edited.steps[0]
    tokens = changed.candidate_tokens.tolist()
    assert changed.after_log_probs == pytest.approx(rows[3][0][tokens], abs=1e-5)
    before = by_hand(loaded, whole.source.ids, whole.target.ids[:3])[3][0]
    assert changed.before_log_probs == pytest.approx(before[tokens], abs=1e-5)


def test_the_continuation_is_the_best_one_under_the_edit(tiny):
    loaded = tiny()
    whole = forced_translation(loaded, TEXT, TARGET)
    short = DecodeConfig(search="greedy", max_length=8)
    edit = AttentionEdit(step=1, kind="force", word=0)
    edited = edited_translation(loaded, TEXT, TARGET, [edit], short)
    row = np.array(edited.steps[0].after)
    written = [whole.target.ids[0]]
    while len(written) < 8 and written[-1] != EOS_ID:
        log_probs = by_hand(loaded, whole.source.ids, written, {1: row})[-1][0].copy()
        log_probs[[0, 1, 2]] = -math.inf
        written.append(int(log_probs.argmax()))
    assert list(edited.after.target.ids[: len(written)]) == written


def test_two_edits_hold_one_behind_the_other(tiny):
    loaded = tiny()
    edits = [AttentionEdit(step=1, kind="force", word=0), AttentionEdit(step=2, kind="force", word=2)]
    edited = edited_translation(loaded, TEXT, TARGET, edits, BEAM)
    assert edited.after.attention is not None
    words = by_words(edited.after.attention, [(i, i + 1) for i in range(3)], edited.after.source.words)
    assert words[1, 0] == pytest.approx(1, abs=1e-6)
    assert words[2, 2] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (AttentionEdit(step=99, kind="freeze"), "allowed is 0 to"),
        (AttentionEdit(step=0, kind="force", word=99), "allowed is 0 to"),
        (AttentionEdit(step=0, kind="set", weights=(1.0,)), "needs 4 weights"),
        (AttentionEdit(step=0, kind="set", weights=(0.0,) * 4), "needs 4 weights"),
        (AttentionEdit(step=0, kind="set", weights=(math.nan,) * 4), "needs 4 weights"),
        (AttentionEdit(step=0, kind="melt"), "'melt' is not known"),  # type: ignore[arg-type]
    ],
)
def test_an_edit_that_does_not_fit_is_one_sentence(tiny, edit: AttentionEdit, sentence: str):
    with pytest.raises(InvalidInputError, match=sentence):
        edited_translation(tiny(), TEXT, TARGET, [edit], BEAM)


def test_a_model_without_attention_says_so(tiny):
    loaded = tiny("none")
    for ask in (
        lambda: attention_step(loaded, TEXT, TARGET, step=0),
        lambda: readings(loaded, TEXT, TARGET),
        lambda: edited_translation(loaded, TEXT, TARGET, [], BEAM),
        lambda: attention_grid(forced_translation(loaded, TEXT, TARGET)),
    ):
        with pytest.raises(InvalidInputError, match="has no attention"):
            ask()


def test_occlusion_is_the_loss_of_each_word_recomputed_without_it(tiny):
    loaded = tiny()
    read = readings(loaded, TEXT, TARGET)
    full = forced_translation(loaded, TEXT, TARGET)
    for column, (start, end) in enumerate(read.source.words):
        kept = read.source.ids[:start] + read.source.ids[end:]
        rows = by_hand(loaded, kept, read.target.ids[:-1])
        own = np.array(
            [float(log_probs[token]) for (log_probs, _, _), token in zip(rows, read.target.ids, strict=True)]
        )
        for row, (first, last) in enumerate(read.target.words):
            loss = full.log_probs[first:last].sum() - own[first:last].sum()
            assert read.occlusion[row, column] == pytest.approx(float(loss), abs=1e-4)


def test_gradient_times_input_is_the_slope_of_each_word_s_input(tiny):
    loaded = tiny()
    model = loaded.model.double()
    read = readings(loaded, TEXT, TARGET)
    ids, inputs = torch.tensor([read.source.ids]), torch.tensor([[BOS_ID, *read.target.ids[:-1]]])
    x = model.embed(ids)

    def word_log_probs(vectors):
        with torch.inference_mode():
            readout, _ = model.forced(model.encode(ids, inputs=vectors), inputs)
            log_probs = torch.log_softmax(model.logits(readout), -1)[0]
        own = log_probs[torch.arange(len(read.target)), torch.tensor(read.target.ids)]
        return np.array([float(own[start:end].sum()) for start, end in read.target.words])

    size = 1e-2  # the softmax is float32: a smaller step would measure its rounding
    for column, (start, end) in enumerate(read.source.words):
        more, less = x.clone(), x.clone()
        more[:, start:end] *= 1 + size
        less[:, start:end] *= 1 - size
        slope = (word_log_probs(more) - word_log_probs(less)) / (2 * size)
        assert read.gradient[:, column] == pytest.approx(slope, abs=1e-4)
    loaded.model.float()


def test_one_source_word_alone_cannot_be_left_out(tiny):
    read = readings(tiny(), "chat", TARGET)
    assert np.isnan(read.occlusion).all()


def test_the_snippet_prints_the_cell(tiny, tmp_path: Path, monkeypatch, capsys):
    from seqviz.charts.attention_math import attention_snippet

    for score in ("additive", "dot", "scaled_dot", "bilinear", "cosine"):
        loaded = tiny(score)
        step = attention_step(loaded, TEXT, TARGET, step=2)
        code = attention_snippet(step, 1).replace(
            f"load_translator({loaded.info.name!r})", f"load_translator({loaded.info.name!r}, root=ROOT)"
        )
        root = next(p for p in tmp_path.parent.glob("checkpoints*") if (p / loaded.info.name).exists())
        exec(compile(code, "snippet", "exec"), {"ROOT": root})
        printed = [float(part) for part in capsys.readouterr().out.split()]
        assert printed == pytest.approx(
            [step.scores[1], step.weights[1], step.context[0], math.exp(step.log_prob)], abs=1e-5
        )

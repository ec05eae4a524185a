"""A trace against a step-by-step recomputation from the weights alone, and against the model's own forward pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, TextTooLongError, UnknownNameError
from seqviz.models.loading import LoadedModel, load_model
from seqviz.traces import NO_TARGET, RecurrentTrace
from seqviz.tracing.forward import to_tensors, trace
from tests.helpers import write_tiny_checkpoint
from tests.parity.reference import BLOCKS, ReferenceCell

TEXTS = {
    "language_model": "To be, or not",
    "classification": "the movie was not very good",
    "tagging": "Yesterday, Harry Potter met Zaphod.",
}
BOUND = 1e-5


def load(root: Path, task: str, cell: str, **options: object) -> LoadedModel:
    write_tiny_checkpoint(root, name="tiny", task=task, cell=cell, **options)
    return load_model("tiny", root=root)


def parameters(loaded: LoadedModel) -> dict[str, np.ndarray]:
    return {name: value.double().numpy() for name, value in loaded.model.named_parameters()}


def embeddings(loaded: LoadedModel, text: str) -> np.ndarray:
    weights, rows = parameters(loaded), []
    encoded = loaded.encoder.encode(text)
    for index, buckets in zip(encoded.ids, encoded.buckets, strict=True):
        row = weights["embedding.word.weight"][index].copy()
        for bucket in buckets:
            row += weights["embedding.subword.weight"][bucket] / np.sqrt(len(buckets))
        rows.append(row)
    return np.stack(rows)


def layers(loaded: LoadedModel, x: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Every quantity of every layer and direction, forward before backward."""
    weights, found = parameters(loaded), []
    for layer in range(loaded.info.config.num_layers):
        outputs = []
        for direction in ("forward", "backward")[: 1 + loaded.info.config.bidirectional]:
            prefix = f"stack.layers.{layer}.{direction}_cell."
            own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
            cell = ReferenceCell(loaded.info.config.cell, own)
            values = cell.run(x) if direction == "forward" else cell.run_backward(x)
            outputs.append(values["hidden_state"])
            found.append(values)
        x = np.concatenate(outputs, 1)
    return found


def check_layers(loaded: LoadedModel, result: RecurrentTrace, expected: list[dict[str, np.ndarray]]) -> None:
    assert len(result.layers) == len(expected)
    for part, values in zip(result.layers, expected, strict=True):
        plain = {name: value for name, value in values.items() if not name.startswith("pre_")}
        assert set(part.quantities()) == set(plain)
        for name, value in plain.items():
            np.testing.assert_allclose(part.quantities()[name], value, rtol=0, atol=BOUND, err_msg=name)
        assert part.block_names == BLOCKS[loaded.info.config.cell]
        for index, block in enumerate(part.block_names):
            np.testing.assert_allclose(part.pre_activation[:, index], values[f"pre_{block}"], rtol=0, atol=BOUND)


# A language model reads forward only.
SHAPES = [
    (task, layers, both)
    for task in TEXTS
    for layers in (1, 2)
    for both in (False, True)[: 1 + (task != "language_model")]
]


@pytest.mark.parametrize(("task", "num_layers", "bidirectional"), SHAPES)
@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm"])
def test_a_trace_equals_the_recomputation_from_the_weights(tmp_path, task, cell, num_layers, bidirectional):
    buckets = 50 if task == "tagging" else 0
    options = {"num_layers": num_layers, "bidirectional": bidirectional, "subword_buckets": buckets}
    loaded = load(tmp_path, task, cell, **options)
    result = trace(loaded, TEXTS[task])
    x = embeddings(loaded, TEXTS[task])
    np.testing.assert_allclose(result.embeddings, x, rtol=0, atol=BOUND)
    check_layers(loaded, result, layers(loaded, x))


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_cell_can_be_traced(tmp_path, cell):
    loaded = load(tmp_path, "language_model", cell, num_layers=2)
    result = trace(loaded, TEXTS["language_model"])
    check_layers(loaded, result, layers(loaded, embeddings(loaded, TEXTS["language_model"])))


@pytest.mark.parametrize(("task", "num_layers", "bidirectional"), SHAPES)
def test_logits_are_those_of_the_forward_pass(tmp_path, task, num_layers, bidirectional):
    loaded = load(tmp_path, task, "lstm", bidirectional=bidirectional, num_layers=num_layers)
    result = trace(loaded, TEXTS[task])
    ids, buckets = to_tensors(loaded.encoder.encode(TEXTS[task]))
    logits, _ = loaded.model(ids, buckets=buckets)
    shown = result.logits[-1] if task == "classification" else result.logits
    np.testing.assert_allclose(shown, logits[0].numpy(), rtol=0, atol=BOUND)


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm", "lstm_peephole"])
def test_the_verdict_after_each_word_is_that_of_the_text_cut_off_there(tmp_path, cell, bidirectional, num_layers):
    loaded = load(tmp_path, "classification", cell, bidirectional=bidirectional, num_layers=num_layers)
    words = ["the", "movie", "was", "not", "very", "good", "!"]
    result = trace(loaded, " ".join(words))
    assert result.logits.shape == (len(words), 2)
    for count in range(1, len(words) + 1):
        ids, buckets = to_tensors(loaded.encoder.encode(" ".join(words[:count])))
        alone, _ = loaded.model(ids, buckets=buckets)
        np.testing.assert_allclose(result.logits[count - 1], alone[0].numpy(), rtol=0, atol=BOUND)


def test_log_probabilities_and_losses_are_those_of_torch(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    result = trace(loaded, "To be, or not")
    logits = torch.tensor(result.logits)
    np.testing.assert_allclose(result.log_probs, torch.log_softmax(logits, -1).numpy(), rtol=0, atol=BOUND)
    next_ids = torch.tensor(loaded.encoder.encode("o be, or not").ids)
    expected = torch.nn.functional.cross_entropy(logits[:-1], next_ids, reduction="none")
    np.testing.assert_allclose(result.losses[:-1], expected.numpy(), rtol=0, atol=BOUND)
    assert np.isnan(result.losses[-1])
    assert result.targets[-1] == NO_TARGET


def test_a_tagger_has_a_loss_at_every_step_when_the_tags_are_known(tmp_path):
    loaded = load(tmp_path, "tagging", "lstm", bidirectional=True)
    result = trace(loaded, "Harry met Hermione", targets=["B-PER", "O", "B-PER"])
    expected = torch.nn.functional.cross_entropy(torch.tensor(result.logits), torch.tensor([1, 0, 1]), reduction="none")
    np.testing.assert_allclose(result.losses, expected.numpy(), rtol=0, atol=BOUND)


def test_a_classifier_has_its_loss_at_the_last_step(tmp_path):
    loaded = load(tmp_path, "classification", "lstm")
    result = trace(loaded, "a good film", targets=["positive"])
    assert np.isnan(result.losses[:2]).all()
    expected = torch.nn.functional.cross_entropy(torch.tensor(result.logits[-1]), torch.tensor(1))
    assert result.losses[2] == pytest.approx(expected.item(), abs=BOUND)


def test_a_generated_text_is_the_greedy_choice_at_every_step(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    result = trace(loaded, "Hello", structure="one_to_many", generate=9)
    assert (len(result), result.fed_back, result.originals[0]) == (10, 1, "H")
    allowed = result.logits.copy()
    allowed[:, loaded.encoder.unknown_id] = -np.inf
    assert allowed[:-1].argmax(-1).tolist() == result.ids[1:].tolist()
    text = "".join(result.originals)
    x = embeddings(loaded, text)
    check_layers(loaded, result, layers(loaded, x))


def test_a_seed_repeats_a_sampled_text_and_another_seed_gives_another(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    texts = [
        trace(loaded, "H", structure="one_to_many", generate=30, temperature=1.0, seed=seed).pieces
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_one_to_one_reads_only_the_first_piece(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    whole, first = trace(loaded, "Hello"), trace(loaded, "Hello", structure="one_to_one")
    assert first.originals == ("H",)
    np.testing.assert_allclose(first.logits[0], whole.logits[0], rtol=0, atol=BOUND)


def test_unknown_pieces_keep_their_originals(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    result = trace(loaded, "a€b")
    assert result.pieces == ("a", "<unk>", "b")
    assert result.originals == ("a", "€", "b")


def test_the_top_labels_come_with_their_probabilities_the_most_probable_first(tmp_path):
    result = trace(load(tmp_path, "classification", "lstm"), "a good film")
    probabilities = torch.softmax(torch.tensor(result.logits[1]), -1)
    best = int(probabilities.argmax())
    top = result.top(1, 2)
    assert [name for name, _ in top] == [result.labels[best], result.labels[1 - best]]
    assert top[0][1] == pytest.approx(probabilities[best].item(), abs=BOUND)


def test_arrays_of_a_trace_cannot_be_written_to(tmp_path):
    result = trace(load(tmp_path, "language_model", "lstm"), "abc")
    with pytest.raises(ValueError, match="read-only"):
        result.layer(0).gates["forget_gate"][0, 0] = 1.0


def test_a_later_run_does_not_change_an_earlier_trace(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    result = trace(loaded, "abc")
    before = result.layer(0).hidden_state.copy()
    trace(loaded, "xyz")
    np.testing.assert_array_equal(result.layer(0).hidden_state, before)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_text_without_words_is_refused(tmp_path, text):
    with pytest.raises(InvalidInputError, match="nothing to read"):
        trace(load(tmp_path, "classification", "lstm"), text)


def test_a_text_beyond_the_limit_is_refused_with_the_count_and_the_limit(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    with pytest.raises(TextTooLongError, match=r"^The text has 6 pieces; the limit is 5\.$"):
        trace(loaded, "abcdef", max_pieces=5)
    assert len(trace(loaded, "abcde", max_pieces=5)) == 5


@pytest.mark.parametrize(
    ("task", "structure"), [("classification", "one_to_many"), ("tagging", "many_to_one"), ("language_model", "many")]
)
def test_a_structure_that_does_not_fit_the_task_is_refused_by_name(tmp_path, task, structure):
    with pytest.raises(UnknownNameError, match=structure):
        trace(load(tmp_path, task, "gru"), "abc", structure=structure)


def test_targets_that_do_not_fit_are_refused(tmp_path):
    loaded = load(tmp_path, "tagging", "lstm")
    with pytest.raises(InvalidInputError, match="2 targets for 3 outputs"):
        trace(loaded, "Harry met Hermione", targets=["O", "O"])
    with pytest.raises(UnknownNameError, match="B-XYZ"):
        trace(loaded, "Harry met Hermione", targets=["O", "O", "B-XYZ"])


@pytest.mark.parametrize(("field", "options"), [("generate", {"generate": 0}), ("temperature", {"temperature": -1.0})])
def test_settings_of_generation_outside_their_range_are_refused(tmp_path, field, options):
    with pytest.raises(InvalidInputError, match=field):
        trace(load(tmp_path, "language_model", "gru"), "a", structure="one_to_many", **options)

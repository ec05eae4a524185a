"""Own models of the Hugging Face family: what is listed, what is refused, and that every number is the model's."""

from __future__ import annotations

import copy
import itertools
import pickle
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import seqviz
from seqviz.analysis.attention import attention_grid, of_head
from seqviz.checkpoints import fingerprint
from seqviz.config import DecodeConfig
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError, TextTooLongError, UnknownNameError
from seqviz.models.huggingface import LoadedOwnModel, load_own_model
from seqviz.own_models import list_own, own_folder, read_own
from seqviz.tracing import translation
from seqviz.tracing.own_steps import OwnSteps
from tests.own_models import PREFIX, SOURCE, TARGET, WRITERS, change_config, write_own_models

NAMES = tuple(WRITERS)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_models(tmp_path_factory.mktemp("own"))


@pytest.fixture(autouse=True)
def _environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQVIZ_MODELS", str(root))


@pytest.fixture(scope="module")
def models(root: Path) -> dict[str, LoadedOwnModel]:
    return {name: load_own_model(str(root / name)) for name in NAMES}


@pytest.fixture(params=NAMES)
def loaded(request: pytest.FixtureRequest, models: dict[str, LoadedOwnModel]) -> LoadedOwnModel:
    return models[request.param]


@pytest.fixture
def copied(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the Marian model, to be spoiled."""
    shutil.copytree(root / "tiny-marian", tmp_path / "models" / "mine")
    monkeypatch.setenv("SEQVIZ_MODELS", str(tmp_path / "models"))
    return tmp_path / "models" / "mine"


def exactly(loaded: LoadedOwnModel) -> LoadedOwnModel:
    """The same model in float64, so that rounding hides nothing."""
    return replace(loaded, model=copy.deepcopy(loaded.model).double())


def generated(loaded: LoadedOwnModel, text: str, length: int) -> tuple[int, ...]:
    """What the library's own greedy search writes."""
    source = translation.source_text(loaded, text).ids
    ids = loaded.model.generate(
        input_ids=torch.tensor([source]), num_beams=1, do_sample=False, max_length=length + len(loaded.beginning)
    )
    return tuple(ids[0].tolist()[len(loaded.beginning) :])


# What is listed.


def test_folders_are_listed_with_what_they_say_of_themselves():
    found, refused = list_own()
    assert refused == {}
    assert [info.name for info in found] == ["own:tiny-bart", "own:tiny-marian", "own:tiny-t5"]
    assert [info.title for info in found] == ["tiny-bart", "tiny-marian", "tiny-t5"]
    assert [info.config.model_type for info in found] == ["bart", "marian", "t5"]
    assert [(info.config.decoder_layers, info.config.heads) for info in found] == [(3, 4)] * 3
    assert [info.config.max_positions for info in found] == [96, 96, None]
    assert [info.figures for info in found] == [{}, {}, {}]
    assert found[2].config.task_prefixes == (("translation_fr_to_en", PREFIX),)


def test_parameters_and_bytes_are_those_of_the_file(loaded: LoadedOwnModel):
    stored = {parameter.data_ptr(): parameter.numel() for parameter in loaded.model.parameters()}
    buffers = sum(one.numel() for name, one in loaded.model.named_buffers() if name == "final_logits_bias")
    sizes = sum(stored.values())
    positions = sum(one.numel() for name, one in loaded.model.named_parameters() if "embed_positions" in name)
    assert loaded.info.num_parameters in (sizes, sizes + buffers, sizes + buffers - positions)
    assert loaded.info.num_bytes == (loaded.info.folder / "model.safetensors").stat().st_size


def test_without_the_variable_there_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEQVIZ_MODELS")
    assert list_own() == ([], {})


def test_folders_that_are_no_models_are_left_out(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    monkeypatch.setenv("SEQVIZ_MODELS", str(tmp_path))
    assert list_own() == ([], {})


@pytest.mark.parametrize("name", ["own:nothing", "own:../tiny-t5", "own:", "own:.", "own:tiny-t5/../tiny-t5"])
def test_only_folders_inside_are_found_by_name(name: str):
    with pytest.raises(UnknownNameError, match="known are"):
        own_folder(name)


def test_a_path_is_taken_and_a_wrong_one_is_said(root: Path):
    assert read_own(str(root / "tiny-t5")).title == "tiny-t5"
    with pytest.raises(InvalidInputError, match="is not a folder with a model"):
        read_own(str(root / "nothing"))


def test_the_fingerprint_changes_with_any_file(copied: Path):
    before = fingerprint("own:mine")
    assert fingerprint("own:mine") == before
    change_config(copied, "generation_config.json", min_length=3)
    assert fingerprint("own:mine") != before
    assert read_own("own:mine").config.not_applied == ("min_length 3",)


# What is refused.


def refusal() -> str:
    found, refused = list_own()
    assert found == []
    with pytest.raises(CheckpointError) as error:
        load_own_model("own:mine")
    assert str(error.value) == str(refused["mine"])
    return str(error.value)


def test_pickled_weights_are_refused(copied: Path):
    class Bomb:
        def __reduce__(self):
            return print, ("boom",)

    (copied / "model.safetensors").unlink()
    (copied / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    assert "never unpickled" in refusal()


def test_code_in_the_folder_is_refused(copied: Path):
    change_config(copied, auto_map={"AutoModel": "modeling.Mine"})
    (copied / "modeling.py").write_text("raise SystemExit('ran')")
    assert "code from a model's folder is never run" in refusal()


def test_code_of_the_tokenizer_is_refused(copied: Path):
    change_config(copied, "tokenizer_config.json", auto_map={"AutoTokenizer": ["mine.Mine", None]})
    assert "tokenizer_config.json has auto_map" in refusal()


def test_another_type_is_refused_with_those_that_are_known(copied: Path):
    change_config(copied, model_type="llama")
    assert refusal() == "Model mine is of type llama; known are marian, bart, t5."


def test_a_missing_tokenizer_is_said_with_the_files(copied: Path):
    (copied / "source.spm").unlink()
    assert refusal() == (
        "Model mine has no tokenizer: a folder of type marian needs source.spm + target.spm + vocab.json."
    )


def test_too_large_a_model_is_refused(copied: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEQVIZ_MODELS_LIMIT_MB", "1")
    with (copied / "model.safetensors").open("ab") as file:
        file.truncate(3_000_000)
    assert "has 3 MB of weights; the limit is 1 MB (SEQVIZ_MODELS_LIMIT_MB changes it)" in refusal()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 64, b"\x02\x00\x00\x00\x00\x00\x00\x00[]"])
def test_weights_that_are_none_are_refused(copied: Path, content: bytes):
    (copied / "model.safetensors").write_bytes(content)
    assert refusal() == "Model mine: model.safetensors is not a file of safetensors."


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_configuration_that_is_none_is_refused(copied: Path, content: str):
    (copied / "config.json").write_text(content)
    assert refusal() == "Checkpoint mine: config.json cannot be read."


def test_weights_that_are_missing_are_never_made_up(copied: Path):
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    del weights["model.decoder.layers.0.fc1.weight"]
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 of its weights are missing.*decoder\.layers\.0\.fc1\.weight"):
        load_own_model("own:mine")


def test_weights_of_another_shape_are_one_sentence(copied: Path):
    change_config(copied, decoder_ffn_dim=25)
    with pytest.raises(CheckpointError, match="Model mine cannot be loaded") as error:
        load_own_model("own:mine")
    assert "\n" not in str(error.value)


def test_without_transformers_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seqviz.models.huggingface.has_transformers", lambda: False)
    with pytest.raises(CheckpointError) as error:
        load_own_model("own:tiny-t5")
    assert str(error.value) == (
        "Models of the Hugging Face family need the package transformers: pip install 'seqviz[huggingface]'."
    )


def test_nothing_reaches_for_a_network(root: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in NAMES:
        assert load_own_model(f"own:{name}").info.title == name


# The numbers.


@pytest.mark.parametrize("text", [SOURCE, "Jane visite l'Afrique en septembre.", "Tom est en France ?"])
def test_greedy_search_writes_what_the_library_writes(loaded: LoadedOwnModel, text: str):
    found = translation.search_translation(loaded, text, DecodeConfig(search="greedy", max_length=14))
    assert found.search.tokens(found.search.best) == generated(loaded, text, 14)


def test_the_probability_of_a_translation_is_the_library_s_loss(loaded: LoadedOwnModel):
    forced = translation.forced_translation(loaded, SOURCE, TARGET)
    given = list(loaded.beginning[1:])
    labels = torch.tensor([[*[-100] * len(given), *forced.target.ids]])
    inputs = torch.tensor([[loaded.beginning[0], *given, *forced.target.ids[:-1]]])
    with torch.inference_mode():
        out = loaded.model(input_ids=torch.tensor([forced.source.ids]), decoder_input_ids=inputs, labels=labels)
    assert forced.log_prob == pytest.approx(-out.loss.item() * len(forced.target.ids), rel=1e-5)
    assert forced.target.ids[-1] == loaded.eos_id
    assert forced.target.text == TARGET


def test_step_by_step_with_cached_keys_is_the_same_as_all_at_once(loaded: LoadedOwnModel):
    loaded = exactly(loaded)
    source, ids = translation.source_text(loaded, SOURCE), translation.target_ids(loaded, TARGET)
    steps = OwnSteps(loaded, source.ids)
    expected, heads = steps.forced(ids)
    state, previous = steps.start(), steps.bos_id
    for step, token in enumerate(ids):
        out = steps.step(state, np.array([previous]))
        np.testing.assert_allclose(out.log_probs[0], expected[step], atol=1e-9)
        np.testing.assert_allclose(out.attention[0], heads[-1, :, step].mean(0), atol=1e-9)
        state, previous = out.state, token


def test_hypotheses_keep_their_own_past_when_they_are_reordered(loaded: LoadedOwnModel):
    loaded = exactly(loaded)
    source = translation.source_text(loaded, SOURCE)
    steps = OwnSteps(loaded, source.ids)
    sequences = [(5, 9, 7), (6, 11, 8), (5, 10, 9)]
    first = steps.step(steps.start(), np.array([steps.bos_id]))
    second = steps.step(steps.select(first.state, np.array([0, 0])), np.array([6, 5]))
    third = steps.step(steps.select(second.state, np.array([1, 0, 1])), np.array([9, 11, 10]))
    for row, sequence in enumerate(sequences):
        expected, _ = steps.forced(sequence)
        np.testing.assert_allclose(third.log_probs[row], expected[2], atol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_as_wide_as_all_sequences_finds_the_best_of_all(models: dict[str, LoadedOwnModel], alpha: float):
    loaded, length = models["tiny-marian"], 3
    config = DecodeConfig(beam_size=4000, max_length=length, alpha=alpha, stopping="all")
    found = translation.search_translation(loaded, SOURCE, config)
    pieces = [token for token in range(loaded.info.config.vocabulary_size) if token not in (0, *loaded.forbidden)]
    # Every beginning of two pieces at once; the third and last piece is <eos> (0), which this model forces.
    begun = torch.tensor(list(itertools.product(pieces, pieces)))
    inputs = torch.cat([torch.full((len(begun), 1), loaded.beginning[0]), begun], 1)
    source = torch.tensor([found.source.ids]).expand(len(begun), -1)
    with torch.inference_mode():
        log_probs = torch.log_softmax(loaded.model(input_ids=source, decoder_input_ids=inputs).logits.double(), -1)
    best, won = float(log_probs[0, 0, 0]), (0,)
    for row, (one, two) in enumerate(begun.tolist()):
        log_p = log_probs[row, [0, 1], [one, two]].cumsum(0).tolist()
        ends = log_probs[row, :, 0].tolist()
        for sequence, total in (((one, 0), log_p[0] + ends[1]), ((one, two, 0), log_p[1] + ends[2])):
            if (score := total / len(sequence) ** alpha) > best:
                best, won = score, sequence
    assert found.search.tokens(found.search.best) == won
    assert float(found.search.score[found.search.best]) == pytest.approx(best, abs=1e-4)


def test_exact_search_proves_an_optimum_that_no_beam_beats(models: dict[str, LoadedOwnModel]):
    config = DecodeConfig(search="exact", beam_size=3, max_length=3, max_expansions=3000)
    exact = translation.search_translation(models["tiny-marian"], SOURCE, config)
    beam = translation.search_translation(models["tiny-marian"], SOURCE, DecodeConfig(beam_size=50, max_length=3))
    assert exact.search.proven
    assert exact.search.log_prob[exact.search.best] >= beam.search.log_prob[beam.search.best] - 1e-6


def test_pieces_that_the_model_may_not_write_are_forbidden(models: dict[str, LoadedOwnModel]):
    marian = models["tiny-marian"]
    assert marian.forbidden == (marian.beginning[0],)
    found = translation.search_translation(marian, SOURCE, DecodeConfig(beam_size=8, max_length=6))
    assert all(marian.forbidden[0] not in found.search.tokens(row) for row in found.search.finished)


def test_a_forced_first_piece_is_given_and_not_predicted(models: dict[str, LoadedOwnModel]):
    bart = models["tiny-bart"]
    assert bart.beginning == (2, 0)
    assert translation.target_ids(bart, TARGET)[0] != 0
    assert translation.forced_translation(bart, SOURCE, TARGET).target.labels == (
        "The", "cat", "is", "sleeping", ".", "</s>",
    )  # fmt: skip


def test_forced_pieces_of_old_folders_are_found_in_their_configuration(root: Path, tmp_path: Path):
    folder = shutil.copytree(root / "tiny-bart", tmp_path / "old")
    (folder / "generation_config.json").unlink()
    change_config(folder, forced_bos_token_id=0, forced_eos_token_id=2)
    loaded = load_own_model(str(folder))
    assert (loaded.beginning, loaded.forced_eos) == ((2, 0), True)


# Attention and pieces.


def test_every_layer_and_head_is_recorded_and_every_row_sums_to_one(loaded: LoadedOwnModel):
    forced = translation.forced_translation(loaded, SOURCE, TARGET, heads=True)
    assert forced.heads.shape == (3, 4, len(forced.target), len(forced.source))
    np.testing.assert_allclose(forced.heads.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(forced.attention, forced.heads[-1].mean(0), atol=1e-7)
    chosen = of_head(forced, layer=0, head=2)
    np.testing.assert_array_equal(chosen.attention, forced.heads[0, 2])
    np.testing.assert_allclose(of_head(forced, layer=1).attention, forced.heads[1].mean(0), atol=1e-7)
    grid = attention_grid(chosen)
    assert grid.rows == forced.target.labels
    np.testing.assert_allclose(grid.weights.sum(1), 1, atol=1e-6)


def test_a_head_is_the_softmax_of_its_queries_and_keys(loaded: LoadedOwnModel):
    forced = translation.forced_translation(loaded, SOURCE, TARGET, heads=True)
    module = next(one for name, one in loaded.model.named_modules() if name.endswith(LAYER[loaded.info.title]))
    seen: dict[str, torch.Tensor] = {}

    def look(_module, arguments, named):
        seen["query"] = arguments[0] if arguments else named["hidden_states"]
        seen["key"] = named.get("key_value_states", arguments[1] if len(arguments) > 1 else None)

    hook = module.register_forward_pre_hook(look, with_kwargs=True)
    OwnSteps(loaded, forced.source.ids).forced(forced.target.ids)
    hook.remove()
    query, key = (getattr(module, name, None) for name in ("q_proj", "k_proj"))
    query, key = query or module.q, key or module.k
    factor = 1.0 if loaded.info.config.score == "unscaled_dot" else 4**-0.5
    q = query(seen["query"])[0].view(-1, 4, 4).transpose(0, 1)
    k = key(seen["key"])[0].view(-1, 4, 4).transpose(0, 1)
    weights = torch.softmax(factor * q @ k.transpose(1, 2), -1)[:, -len(forced.target) :]
    np.testing.assert_allclose(weights.numpy(), forced.heads[1], atol=1e-5)


LAYER = {
    "tiny-bart": "decoder.layers.1.encoder_attn",
    "tiny-marian": "decoder.layers.1.encoder_attn",
    "tiny-t5": "decoder.block.1.layer.1.EncDecAttention",
}


@pytest.mark.parametrize(("layer", "head"), [(3, None), (-1, None), (0, 4), (0, -1)])
def test_a_layer_or_head_that_is_not_there_is_said(models: dict[str, LoadedOwnModel], layer: int, head: int | None):
    forced = translation.forced_translation(models["tiny-t5"], SOURCE, TARGET, heads=True)
    with pytest.raises(InvalidInputError, match="allowed is 0 to"):
        of_head(forced, layer=layer, head=head)


def test_pieces_read_as_words(loaded: LoadedOwnModel):
    assert translation.forced_translation(loaded, SOURCE, TARGET).target.labels == (
        "The", "cat", "is", "sleeping", ".", "</s>",
    )  # fmt: skip
    source = translation.source_text(loaded, SOURCE)
    words = [label for label in source.labels if label not in ("<s>", "</s>")]
    assert words == ["Le", "chat", "dort", "."]


def test_bytes_of_a_foreign_character_are_spelled(models: dict[str, LoadedOwnModel]):
    source = translation.source_text(models["tiny-bart"], "Le 中")
    assert source.labels == ("<s>", "Le", "中", "</s>")
    assert source.pieces[-4:-1] == ("<0xE4>", "<0xB8>", "<0xAD>")


@pytest.mark.parametrize("typed", ["</s>", "Le </s> chat", "<pad>", "<unk> <s>"])
def test_a_mark_that_is_typed_is_no_mark(loaded: LoadedOwnModel, typed: str):
    plain = translation.source_text(loaded, "Le chat").ids
    ids = translation.source_text(loaded, typed).ids
    assert ids.count(loaded.eos_id) == plain.count(loaded.eos_id)
    target = translation.target_ids(loaded, typed)
    assert target.count(loaded.eos_id) == 1


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_to_translate_is_said(loaded: LoadedOwnModel, text: str):
    with pytest.raises(InvalidInputError, match="nothing to translate"):
        translation.source_text(loaded, text)
    with pytest.raises(InvalidInputError, match="translation is empty"):
        translation.target_ids(loaded, text)


def test_positions_limit_both_sides(models: dict[str, LoadedOwnModel]):
    long = "chat " * 120
    with pytest.raises(TextTooLongError, match="the limit is 96"):
        translation.source_text(models["tiny-marian"], long)
    with pytest.raises(TextTooLongError, match="the limit is 96"):
        translation.forced_translation(models["tiny-marian"], SOURCE, long)
    assert len(translation.source_text(models["tiny-t5"], long)) > 96
    found = translation.search_translation(models["tiny-bart"], SOURCE, DecodeConfig(search="greedy", max_length=500))
    assert found.search.config.max_length == 95


def test_ids_of_another_model_are_refused(models: dict[str, LoadedOwnModel]):
    with pytest.raises(InvalidInputError, match="not of model"):
        translation.forced_translation(models["tiny-t5"], SOURCE, (5, 10_000, 1))


# The library.


def test_the_library_takes_a_path_and_a_folder_s_name(root: Path):
    found = seqviz.search_translation(str(root / "tiny-marian"), SOURCE, budget=0)
    again = seqviz.search_translation("tiny-marian", SOURCE, budget=0)
    assert found.shown.best == again.shown.best
    assert "<svg" in seqviz.search_figure(found).to_svg()
    first = seqviz.attention_weights("tiny-t5", SOURCE, TARGET, layer=0, head=1)
    np.testing.assert_array_equal(first.attention, first.heads[0, 1])


def test_the_command_takes_a_folder(root: Path, tmp_path: Path):
    from typer.testing import CliRunner

    from seqviz.cli import app

    folder = str(root / "tiny-marian")
    done = CliRunner().invoke(app, ["translate", folder, SOURCE])
    best = translation.own_translations(load_own_model(folder), [SOURCE])
    assert (done.exit_code, done.stdout.strip()) == (0, best[0])
    picture = tmp_path / "tree.html"
    assert CliRunner().invoke(app, ["export", folder, SOURCE, "--view", "search", "-o", str(picture)]).exit_code == 0
    assert "<svg" in picture.read_text(encoding="utf-8")
    listed = CliRunner().invoke(app, ["models", "--json"])
    assert '"name": "own:tiny-t5"' in listed.stdout
    assert CliRunner().invoke(app, ["translate", str(root / "nothing"), SOURCE]).exit_code == 2


def test_a_view_of_recurrent_models_says_what_it_needs():
    from seqviz.backends.translation_requests import NetworkRequest
    from seqviz.backends.worker import Worker

    with pytest.raises(SeqvizError, match="needs a recurrent model"):
        Worker().answer(NetworkRequest(model="own:tiny-t5", text=SOURCE))

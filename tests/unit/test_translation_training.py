"""Sentence pairs: read, varied the same way on both sides, trained with teacher forcing, measured with BLEU."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seqviz.config import TrainConfig, TranslationConfig
from seqviz.errors import DataFormatError, InvalidInputError, UnknownNameError
from seqviz.metrics.corpus_bleu import corpus_bleu
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.loading import load_translator
from seqviz.text import PieceEncoder
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.training.evaluation import evaluate_translator
from seqviz.training.parallel import (
    Group,
    Substitutions,
    by_source,
    hastily_typed,
    made_up_name,
    read_pairs,
)
from seqviz.training.recipe import RecipeRun, load_recipe
from seqviz.training.tasks import IGNORED
from seqviz.training.trainer import Trainer
from seqviz.training.translation import TranslationTask, pair_batch

SENTENCES = [
    ("Tom est ici.", "Tom is here."),
    ("Le chat dort.", "The cat is sleeping."),
    ("Je suis en France.", "I am in France."),
    ("Il pleut.", "It rains."),
    ("Je parle à Tom ?", "Am I talking to Tom?"),
    ("Le chien dort ici.", "The dog sleeps here."),
    ("Le chien dort ici.", "The dog is sleeping here."),
]
GROUPS = [
    Group(
        entries=(("Jane", "Jane"), ("Anne", "Anne")), find=(("Tom", "Tom"),), probability=1.0, made_up=0.3, elide=True
    ),
    Group(entries=(("France", "France"), ("Chine", "China")), probability=1.0, copies=2),
]
TRAIN = TrainConfig(
    batch_size=3, max_epochs=3, learning_rate=0.02, warmup_steps=2, average_decay=0.9, label_smoothing=0.1, seed=3
)


def task() -> TranslationTask:
    encoder = PieceEncoder.build([text for pair in SENTENCES for text in pair], max_size=330)
    return TranslationTask(
        SENTENCES, SENTENCES[:3], encoder=encoder, substitutions=Substitutions(GROUPS), hasty_typing=0.3
    )


def trainer_for(folder: Path | None = None) -> Trainer[EncoderDecoder, object]:
    torch.manual_seed(1)
    config = TranslationConfig(
        cell="gru", vocabulary_size=330, embedding_size=5, encoder_size=3, decoder_size=6, decoder_layers=2, dropout=0.2
    )
    return Trainer(EncoderDecoder(config), task(), TRAIN, folder=folder, save_seconds=0.0)  # type: ignore[arg-type]


def expect_equal_weights(first: Trainer, second: Trainer) -> None:
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
    for name, value in first.best_weights.items():
        assert torch.equal(value, second.best_weights[name]), name


@pytest.mark.parametrize("stop_after", [1, 4])
def test_run_resumed_after_a_stop_gives_equal_weights_bit_by_bit(stop_after: int, tmp_path: Path) -> None:
    whole = trainer_for()
    records = list(whole.steps())
    stopped = trainer_for(tmp_path).steps()
    for _ in range(stop_after):
        next(stopped)
    del stopped
    torch.manual_seed(999)
    resumed = trainer_for(tmp_path)
    assert [r.loss for r in resumed.steps()] == [r.loss for r in records[stop_after:]]
    expect_equal_weights(whole, resumed)


KILLED = """
import sys
from pathlib import Path
from tests.unit.test_translation_training import trainer_for
for step in trainer_for(Path(sys.argv[1])).steps():
    print(step.step, flush=True)
"""


def test_run_resumed_after_its_process_was_killed_gives_equal_weights(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "4":
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    process.stdout.close()
    resumed = trainer_for(tmp_path)
    rest = list(resumed.steps())
    assert rest[0].step >= 4
    whole = trainer_for()
    list(whole.steps())
    expect_equal_weights(whole, resumed)


def test_a_few_pairs_are_learned_by_heart() -> None:
    encoder = PieceEncoder.build([text for pair in SENTENCES[:4] for text in pair], max_size=330)
    learned = TranslationTask(SENTENCES[:4], SENTENCES[:4], encoder=encoder)
    torch.manual_seed(1)
    config = TranslationConfig(cell="gru", vocabulary_size=330, embedding_size=16, encoder_size=16, decoder_size=24)
    model = EncoderDecoder(config)
    train = TrainConfig(batch_size=4, max_epochs=80, learning_rate=0.02, warmup_steps=5, patience=200)
    list(Trainer(model, learned, train).steps())
    model.eval()
    figures = learned.measure(model)
    assert figures["bleu_greedy"] == pytest.approx(100.0)
    assert figures["bleu"] == pytest.approx(100.0)
    assert figures["sources"] == 4


def test_a_batch_feeds_each_target_behind_bos_and_expects_it_before_eos() -> None:
    batch = pair_batch([([7, 8, 9], [10, 11]), ([7], [12])])
    assert batch.sources.tolist() == [[7, 8, 9], [7, 0, 0]]
    assert batch.lengths.tolist() == [3, 1]
    assert batch.inputs.tolist() == [[BOS_ID, 10, 11], [BOS_ID, 12, 0]]
    assert batch.targets.tolist() == [[10, 11, EOS_ID], [12, EOS_ID, IGNORED]]


def test_the_loss_is_the_mean_over_real_positions() -> None:
    chosen = task()
    model = trainer_for().model.eval()
    rows = [([7, 8, 9], [10, 11]), ([7], [12])]
    both, carries = chosen.loss(model, pair_batch(rows), None, TrainConfig())
    apart = [chosen.loss(model, pair_batch([row]), None, TrainConfig())[0].item() for row in rows]
    assert carries == []
    assert both.item() == pytest.approx((3 * apart[0] + 2 * apart[1]) / 5, abs=1e-5)


def test_every_pair_is_in_every_epoch_and_varies_from_one_to_the_next() -> None:
    chosen = task()
    epochs = [list(chosen.batches(epoch, 3, seed=1)) for epoch in (0, 0, 1)]
    sources = [sorted(row for batch in epoch for row in batch.sources.tolist()) for epoch in epochs]
    # Seven pairs, one of them with a country and so twice.
    assert [len(rows) for rows in sources] == [8, 8, 8]
    assert len(epochs[0]) == chosen.batches_per_epoch(3) == 3
    assert sources[0] == sources[1] != sources[2]


def test_a_name_is_replaced_on_both_sides_and_elided() -> None:
    found = Substitutions(GROUPS)
    pair = ("Le chat de Tom dort.", "Tom's cat is sleeping.")
    slots = found.slots(pair)
    new = {found.apply(pair, slots, random.Random(seed)) for seed in range(30)}
    assert ("Le chat de Jane dort.", "Jane's cat is sleeping.") in new
    assert ("Le chat d'Anne dort.", "Anne's cat is sleeping.") in new
    assert len(new) > 3  # made-up names
    assert pair not in new


@pytest.mark.parametrize(
    "pair",
    [
        ("Tom voit Tom.", "Tom sees Tom."),
        ("Tom est ici.", "He is here."),
        ("Tomate", "Tomato"),
        ("Il pleut.", "It rains."),
    ],
)
def test_what_does_not_stand_once_on_both_sides_is_left_alone(pair: tuple[str, str]) -> None:
    assert Substitutions(GROUPS).slots(pair) == ()


def test_a_one_way_group_leaves_its_own_entries_where_they_stand() -> None:
    group = Group(find=(("va à", "goes to"),), entries=(("visite", "visits"),), probability=1.0, one_way=True)
    found = Substitutions([group])
    pair = ("Tom va à Paris.", "Tom goes to Paris.")
    assert found.apply(pair, found.slots(pair), random.Random(1)) == ("Tom visite Paris.", "Tom visits Paris.")
    assert found.slots(("Elle nous rend visite.", "She visits us.")) == ()


def test_chinese_words_are_found_without_blanks() -> None:
    found = Substitutions([Group(entries=(("九月", "September"), ("五月", "May")), probability=1.0)])
    pair = ("我九月去北京。", "I am going to Beijing in September.")
    new = {found.apply(pair, found.slots(pair), random.Random(seed)) for seed in range(9)}
    assert new == {pair, ("我五月去北京。", "I am going to Beijing in May.")}


@pytest.mark.parametrize("name", ["fra-eng", "cmn-eng"])
def test_lexicons_that_come_with_seqviz_load(name: str) -> None:
    Substitutions.load(name)


def test_an_unknown_lexicon_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownNameError, match="known are: cmn-eng, fra-eng"):
        Substitutions.load("eng-tlh")


def test_made_up_names_are_many_and_begin_with_a_capital() -> None:
    names = {made_up_name(random.Random(seed)) for seed in range(300)}
    assert len(names) > 200
    assert all(name[0].isupper() and name.isalpha() for name in names)


def test_hasty_typing_drops_blanks_full_stops_and_capitals() -> None:
    assert hastily_typed("Viens ! Tu viens ?", random.Random(1), 1.0) == "viens! Tu viens?"
    assert hastily_typed("Il pleut.", random.Random(1), 1.0) == "il pleut"
    assert hastily_typed("Il pleut.", random.Random(1), 0.0) == "Il pleut."


def test_pairs_are_read_from_the_columns_of_a_packed_table(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress(b"a dog\tein Hund\tun chien \n\na cat\teine Katze\tun chat\n"))
    assert read_pairs(path, source_column=3, target_column=1) == [("un chien", "a dog"), ("un chat", "a cat")]


@pytest.mark.parametrize("line", ["only one column", "a\t ", "\tb"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(f"x\ty\n{line}\n")
    with pytest.raises(DataFormatError, match=r"pairs\.tsv, line 2: expected 2 columns"):
        read_pairs(path, source_column=1, target_column=2)


def test_references_of_a_source_are_gathered() -> None:
    assert by_source([*SENTENCES[5:], SENTENCES[0], SENTENCES[5]]) == {
        "Le chien dort ici.": ["The dog sleeps here.", "The dog is sleeping here."],
        "Tom est ici.": ["Tom is here."],
    }


def test_bleu_counts_all_references_of_a_source_however_many_there_are() -> None:
    translations = ["the cat is on the mat today", "a dog sleeps in the house now"]
    references = [["the cat sits on the mat", translations[0]], [translations[1]]]
    assert corpus_bleu(translations, references).score == pytest.approx(100.0)
    assert corpus_bleu(translations, [references[0][:1], references[1]]).score < 90
    assert "case:mixed" in corpus_bleu(translations, references).signature
    assert "version:2" in corpus_bleu(translations, references).signature


RECIPE = """
name = "tiny-translation"
title = "Tiny"
family = "tiny"
[data]
train = ["train.tsv"]
valid = "valid.tsv"
source_column = 1
target_column = 2
substitutions = "fra-eng"
[data.also_measured]
other = "train.tsv"
[tokenizer]
kind = "bpe"
max_size = 330
[model]
task = "translation"
cell = "lstm"
embedding_size = 4
encoder_size = 3
decoder_size = 6
score = "dot"
[train]
batch_size = 4
max_epochs = 2
[card]
summary = "translates."
restricted = false
licence = "none"
data_notes = ["made up"]
published = ["nothing"]
weaknesses = ["knows nothing"]
weights = "float16"
"""


def recipe_with_data(folder: Path, text: str = RECIPE) -> Path:
    (folder / "train.tsv").write_text("".join(f"{s}\t{t}\n" for s, t in SENTENCES))
    (folder / "valid.tsv").write_text("".join(f"{s}\t{t}\n" for s, t in SENTENCES[3:]))
    (folder / "tiny.toml").write_text(text)
    return folder / "tiny.toml"


def test_checkpoint_of_a_recipe_measures_on_its_file_what_the_trainer_measured(tmp_path: Path) -> None:
    run = RecipeRun(load_recipe(str(recipe_with_data(tmp_path))), data=tmp_path, folder=tmp_path / "run")
    last = list(run.steps())[-1]
    assert last.figures is not None
    assert last.figures.keys() == {"bleu"}
    folder = run.write(root=tmp_path / "checkpoints", command="seqviz train tiny", hardware="a test")
    loaded = load_translator(folder.name, root=tmp_path / "checkpoints")
    figures, signature = evaluate_translator(loaded, tmp_path / "valid.tsv")
    assert figures == {name: loaded.info.figures[name] for name in ("bleu", "bleu_greedy", "sources")}
    assert loaded.info.figures.keys() >= {"bleu_other", "bleu_greedy_other"}
    assert signature.startswith("nrefs:var|case:mixed")
    card = (folder / "README.md").read_text()
    assert "| BLEU, beam 5, length-normalised |" in card
    assert "| BLEU, greedy, on other |" in card


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('score = "dot"\n', "", r"lacks model\.score"),
        ('kind = "bpe"', 'kind = "word"', "known are: bpe"),
        ('score = "dot"', 'score = "guess"', "known are: additive"),
        ("decoder_size = 6", "decoder_size = 5", "must be 2 x encoder_size = 6, not 5"),
    ],
)
def test_a_wrong_recipe_is_refused_before_training(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        RecipeRun(
            load_recipe(str(recipe_with_data(tmp_path, RECIPE.replace(old, new)))), data=tmp_path, folder=tmp_path / "r"
        )


def test_evaluation_of_an_empty_file_is_refused(tmp_path: Path) -> None:
    run = RecipeRun(load_recipe(str(recipe_with_data(tmp_path))), data=tmp_path, folder=tmp_path / "run")
    next(run.steps())
    folder = run.write(root=tmp_path / "checkpoints", command="c", hardware="h")
    (tmp_path / "empty.tsv").write_text("\n")
    with pytest.raises(InvalidInputError, match="has no sentence pairs"):
        evaluate_translator(load_translator(folder.name, root=tmp_path / "checkpoints"), tmp_path / "empty.tsv")

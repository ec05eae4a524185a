"""Tiny randomly initialised models of the Hugging Face family with tokenizers of their own, as local folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.helpers import PAIRS

TEXTS = [text for pair in PAIRS for text in pair]
SOURCE, TARGET = "Le chat dort.", "The cat is sleeping."
PREFIX = "translate French to English: "
SIZES: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 96,
    "init_std": 0.5,
}


def write_tiny_marian(root: Path, *, name: str = "tiny-marian", seed: int = 1, **settings: Any) -> Path:
    """A Marian model: sentencepiece for both sides, <pad> begins and may not be written."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lines.txt").write_text("\n".join(TEXTS * 3), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"),
        model_prefix=str(folder / "pieces"),
        vocab_size=70,
        hard_vocab_limit=False,
        character_coverage=1.0,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    spelled = (folder / "pieces.model").read_bytes()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=spelled)
    vocabulary = {pieces.id_to_piece(index): index for index in range(pieces.get_piece_size())}
    pad = vocabulary["<pad>"] = len(vocabulary)
    for file in folder.iterdir():
        file.unlink()
    (folder / "source.spm").write_bytes(spelled)
    (folder / "target.spm").write_bytes(spelled)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    config = transformers.MarianConfig(
        **SIZES,
        vocab_size=len(vocabulary),
        pad_token_id=pad,
        bos_token_id=None,
        eos_token_id=0,
        decoder_start_token_id=pad,
    )
    settings = {"bad_words_ids": [[pad]], "forced_eos_token_id": 0, **settings}
    return _written(transformers.MarianMTModel, config, folder, seed, settings)


def write_tiny_t5(root: Path, *, name: str = "tiny-t5", seed: int = 2, **settings: Any) -> Path:
    """A T5 model: relative positions, unscaled products, words before the source that name the task."""
    folder = root / name
    draft = Tokenizer(models.Unigram())
    draft.pre_tokenizer = pre_tokenizers.Metaspace()
    draft.train_from_iterator(
        [*TEXTS, PREFIX],
        trainers.UnigramTrainer(
            vocab_size=90, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
        ),
    )
    entries = [(piece, score) for piece, score in json.loads(draft.to_str())["model"]["vocab"]]
    tokenizer = transformers.T5Tokenizer(vocab=entries, extra_ids=0)
    tokenizer.save_pretrained(folder)
    config = transformers.T5Config(
        d_model=16,
        d_kv=4,
        d_ff=24,
        num_layers=3,
        num_heads=4,
        vocab_size=len(entries) + 6,  # tables are often a little larger than the vocabulary
        decoder_start_token_id=0,
        initializer_factor=3.0,
        task_specific_params={"translation_fr_to_en": {"prefix": PREFIX}, "summarization": {"min_length": 3}},
    )
    return _written(transformers.T5ForConditionalGeneration, config, folder, seed, settings)


def write_tiny_bart(root: Path, *, name: str = "tiny-bart", seed: int = 1, **settings: Any) -> Path:
    """A BART model: pieces of bytes, a forced first and last piece."""
    folder = root / name
    draft = Tokenizer(models.BPE())
    draft.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    draft.decoder = decoders.ByteLevel()
    draft.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    learned = json.loads(draft.to_str())["model"]
    tokenizer = transformers.BartTokenizer(vocab=learned["vocab"], merges=[tuple(pair) for pair in learned["merges"]])
    tokenizer.save_pretrained(folder)
    config = transformers.BartConfig(
        **SIZES,
        vocab_size=len(tokenizer),
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    settings = {"forced_bos_token_id": 0, "forced_eos_token_id": 2, **settings}
    return _written(transformers.BartForConditionalGeneration, config, folder, seed, settings)


WRITERS = {"tiny-bart": write_tiny_bart, "tiny-marian": write_tiny_marian, "tiny-t5": write_tiny_t5}


def write_own_models(root: Path) -> Path:
    """One of each kind."""
    for writer in WRITERS.values():
        writer(root)
    return root


def change_config(folder: Path, file: str = "config.json", **changes: Any) -> None:
    """Changes fields of a JSON file of a model; None takes one away."""
    path = folder / file
    raw = (json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}) | changes
    written = {key: value for key, value in raw.items() if value is not None}
    path.write_text(json.dumps(written), encoding="utf-8")


def _written(kind: Any, config: Any, folder: Path, seed: int, settings: dict[str, Any]) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(config).eval()
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.normal_()
    model.generation_config.update(**settings)
    model.save_pretrained(folder)
    return folder

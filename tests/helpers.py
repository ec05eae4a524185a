"""What several tests need: tiny checkpoints with random weights, made in milliseconds and always the same."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from seqviz.checkpoints import WEIGHTS, read_translator, write_checkpoint
from seqviz.config import ModelConfig, TranslationConfig
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import PieceEncoder, TextEncoder
from seqviz.types import Task

CHARACTERS = string.ascii_letters + string.digits + " .,;:!?'-\n"
WORDS = (
    "the a movie film was is not very good bad teddy bears are on sale roosevelt president yesterday harry potter "
    "met hermione granger he said i like this . , !"
)
WIKI_WORDS = (
    "<eos> <unk> The the cat cats , . which ate fresh fish was were full and @-@ @,@ 's 't didn 1 000 "
    "already near old river girl girls beside long street"
)
LABELS: dict[str, tuple[str, ...]] = {
    "language_model": (),
    "classification": ("negative", "positive"),
    "tagging": ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
}


def write_tiny_checkpoint(
    root: Path,
    *,
    name: str,
    task: Task = "language_model",
    cell: str = "lstm",
    hidden_size: int = 8,
    embedding_size: int = 6,
    num_layers: int = 1,
    bidirectional: bool = False,
    subword_buckets: int = 0,
    family: str | None = None,
    title: str | None = None,
    seed: int = 1,
    words: bool = False,
) -> Path:
    """Writes a checkpoint with random weights.

    Language models read characters (ASCII letters, digits, ``.,;:!?'-``, space and newline); classifiers and taggers
    read the words of ``WORDS`` in lower case. Everything else is ``<unk>``.

    Args:
        root: folder of checkpoints; point ``SEQVIZ_CHECKPOINTS`` at it.
        name: of the checkpoint.
        task, cell, hidden_size, embedding_size, num_layers, bidirectional, subword_buckets: as in ``ModelConfig``.
        family: None for ``tiny-<task>``.
        title: None for one made of task and cell.
        seed: of the weights.
        words: a language model over ``WIKI_WORDS`` with tied output (embedding and hidden size become equal).

    Returns:
        its folder, ``root / name``.
    """
    characters = task == "language_model"
    encoder = TextEncoder.build(
        [CHARACTERS] if characters else [WORDS],
        kind="character" if characters else "word",
        lowercase=not characters,
        buckets=subword_buckets,
    )
    if words:
        encoder = TextEncoder.build(WIKI_WORDS.split(), kind="wikitext", already_split=True)
        embedding_size = hidden_size
    labels = LABELS[task]
    config = ModelConfig(
        task=task,
        cell=cell,
        vocabulary_size=len(encoder.vocabulary),
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        output_size=len(labels) or len(encoder.vocabulary),
        num_layers=num_layers,
        bidirectional=bidirectional,
        subword_buckets=subword_buckets,
        tied_output=words,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SequenceModel(config)
    description = {
        "title": title or f"Tiny {task} ({cell})",
        "family": family or f"tiny-{task}",
        "restricted": False,
        "model": config.to_dict(),
        "labels": list(labels),
        "figures": {},
        "details": {"num_parameters": model.num_parameters(), "seed": seed},
    }
    return write_checkpoint(
        name,
        description=description,
        weights=save({key: value.detach().contiguous() for key, value in model.named_parameters()}),
        tokenizer=encoder.to_json(),
        card=f"# {description['title']}\n\nRandom weights, for tests.\n",
        root=root,
    )


PAIRS = (
    ("Jane visite l'Afrique en septembre.", "Jane is visiting Africa in September."),
    ("Voulez-vous chanter avec moi ?", "Do you want to sing with me?"),
    ("Le chat dort.", "The cat is sleeping."),
    ("Tom est en France.", "Tom is in France."),
)


def write_tiny_translator(
    root: Path,
    *,
    name: str,
    score: str = "additive",
    cell: str = "gru",
    decoder_layers: int = 2,
    family: str = "tiny-translation",
    learned: Sequence[str] = (),
    seed: int = 1,
) -> Path:
    """Writes a translation checkpoint with random weights, its pieces learned from ``PAIRS``.

    Args:
        root: folder of checkpoints; point ``SEQVIZ_CHECKPOINTS`` at it.
        name: of the checkpoint.
        score, cell, decoder_layers: as in ``TranslationConfig``.
        family: of the checkpoint.
        learned: more texts that its pieces are learned from.
        seed: of the weights.

    Returns:
        its folder, ``root / name``.
    """
    encoder = PieceEncoder.build([*(text for pair in PAIRS for text in pair), *learned], max_size=380)
    config = TranslationConfig(
        cell=cell,
        vocabulary_size=len(encoder.vocabulary),
        embedding_size=6,
        encoder_size=4,
        decoder_size=8,
        decoder_layers=decoder_layers,
        score=score,
        attention_size=5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = EncoderDecoder(config)
    description = {
        "title": f"Tiny translation ({score})",
        "family": family,
        "restricted": False,
        "model": config.to_dict(),
        "labels": [],
        "figures": {"bleu": 0.0},
        "details": {
            "num_parameters": model.num_parameters(),
            "seed": seed,
            "figure": "bleu",
            "data": {"source_column": 1, "target_column": 2},
        },
    }
    return write_checkpoint(
        name,
        description=description,
        weights=save({key: value.detach().contiguous() for key, value in model.named_parameters()}),
        tokenizer=encoder.to_json(),
        card=f"# {description['title']}\n\nRandom weights, for tests.\n",
        root=root,
    )


def write_tiny_tuned(
    root: Path, *, name: str, base: str, score: str = "additive", penalty: float = 0.0, seed: int = 2
) -> Path:
    """Writes what ``write_tiny_translator`` would be after a fine-tuning of its score function, with random weights.

    Args:
        root: folder of checkpoints with the base.
        name: of the checkpoint.
        base: the checkpoint that it started from, a GRU with two decoder layers.
        score: as in ``TranslationConfig``.
        penalty: λ of the regulariser that it was trained with, as its description says.
        seed: of the weights.

    Returns:
        its folder, ``root / name``.
    """
    info = read_translator(base, root)
    config = replace(info.config, score=score)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = EncoderDecoder(config)
    weights = {key: value.detach().contiguous() for key, value in model.named_parameters() if key.startswith("score.")}
    description = {
        "title": f"Tiny translation, fine-tuned ({name})",
        "family": info.family,
        "restricted": False,
        "model": config.to_dict(),
        "labels": [],
        "figures": {"bleu": 1.5, "bleu_greedy": 1.25},
        "details": {
            **info.details,
            "num_parameters": model.num_parameters(),
            "trained_parameters": sum(value.numel() for value in weights.values()),
            "start": {"checkpoint": base, "train": ["score."]},
            "train": {"attention_penalty": penalty, "attention_target": 1.0},
        },
        "base": {"name": base, "weights": info.sha256[WEIGHTS]},
    }
    return write_checkpoint(
        name, description=description, weights=save(weights), tokenizer=None, card="# Tiny\n", root=root
    )

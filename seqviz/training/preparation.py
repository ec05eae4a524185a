"""The data of a recipe, read and numbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from seqviz.checkpoints import WEIGHTS, Base
from seqviz.config import ModelConfig, TranslationConfig
from seqviz.errors import unknown_name
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import PieceEncoder, TextEncoder
from seqviz.text.encoder import END_OF_LINE
from seqviz.training.datasets import Labelled, Tagged, read_classification, read_tagging, read_text, without_overlap
from seqviz.training.embeddings import cooccurrence_vectors
from seqviz.training.parallel import Pair, Substitutions, read_pairs
from seqviz.training.recipe_file import Recipe
from seqviz.training.starting import load_start, started
from seqviz.training.tasks import Batch, Example, LabelledTask, LanguageModelTask, TrainingTask
from seqviz.training.translation import TranslationTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A recipe with its data read: ready to train.

    Args:
        recipe: the recipe.
        encoder: with the vocabulary of the training data.
        labels: names of the classes or tags; empty where the outputs are the vocabulary.
        config: of the model.
        task: the numbered data.
        model: new, or as far as the checkpoint that it starts from, what is not to be trained frozen.
        base: what the model starts from; None where it is new.
    """

    recipe: Recipe
    encoder: TextEncoder | PieceEncoder
    labels: tuple[str, ...]
    config: ModelConfig | TranslationConfig
    task: TrainingTask[Any, Any]
    model: SequenceModel | EncoderDecoder
    base: Base | None = None


def prepare(recipe: Recipe, *, data: Path, root: Path | None = None) -> Prepared:
    """Reads the data, counts the vocabulary, numbers everything, makes a model with the recipe's seed.

    Args:
        recipe: what to make.
        data: folder of the corpora.
        root: folder of the checkpoints, for a recipe that starts from one.
    """
    if recipe.task == "translation":
        return _translation(recipe, data, root)
    if recipe.task not in _READERS:
        raise unknown_name("task", recipe.task, [*_READERS, "translation"])
    encoder, labels, task = _READERS[recipe.task](recipe, data)
    config = ModelConfig.from_dict(
        {
            **recipe.model,
            "vocabulary_size": len(encoder.vocabulary),
            "output_size": len(labels) or len(encoder.vocabulary),
        }
    )
    torch.manual_seed(recipe.train.seed)
    return Prepared(
        recipe=recipe, encoder=encoder, labels=labels, config=config, task=task, model=SequenceModel(config)
    )


def _translation(recipe: Recipe, data: Path, root: Path | None) -> Prepared:
    options = recipe.data
    start = load_start(recipe, root=root) if recipe.start else None
    train = [pair for path in options["train"] for pair in pairs_of(options, data / path)]
    encoder = start.encoder if start else _pieces(recipe, train)
    lexicon = options.get("substitutions")
    task = TranslationTask(
        train,
        pairs_of(options, data / options["valid"]),
        encoder=encoder,
        watched_sources=options.get("watched_sources"),
        substitutions=Substitutions.load(lexicon) if lexicon else None,
        hasty_typing=options.get("hasty_typing", 0.0),
        also_measured={name: pairs_of(options, data / path) for name, path in options.get("also_measured", {}).items()},
    )
    config = TranslationConfig.from_dict({**recipe.model, "vocabulary_size": len(encoder.vocabulary)})
    torch.manual_seed(recipe.train.seed)
    model = EncoderDecoder(config)
    return Prepared(
        recipe=recipe,
        encoder=encoder,
        labels=(),
        config=config,
        task=task,
        model=started(model, start, recipe) if start else model,
        base=Base(name=start.info.name, weights=start.info.sha256[WEIGHTS]) if start else None,
    )


def _pieces(recipe: Recipe, train: Sequence[Pair]) -> PieceEncoder:
    options = dict(recipe.tokenizer)
    if (kind := options.pop("kind")) != "bpe":
        raise unknown_name("tokenizer kind", kind, ("bpe",))
    return PieceEncoder.build((text for pair in train for text in pair), **options)


def pairs_of(options: dict[str, Any], path: Path) -> list[Pair]:
    """The sentence pairs of a file, from the columns that a recipe's [data] table names."""
    return read_pairs(path, source_column=options["source_column"], target_column=options["target_column"])


_Parts = tuple[TextEncoder, tuple[str, ...], TrainingTask[SequenceModel, Batch]]


def _encoder(recipe: Recipe, words: Sequence[str]) -> TextEncoder:
    return TextEncoder.build(words, **recipe.tokenizer, buckets=recipe.model.get("subword_buckets", 0))


def _language_model(recipe: Recipe, data: Path) -> _Parts:
    text = "".join(read_text(data / path) for path in recipe.data["train"])
    split = bool(recipe.data.get("already_split"))
    encoder = TextEncoder.build(corpus_words(text) if split else [text], **recipe.tokenizer, already_split=split)
    train, valid = (
        corpus_ids(encoder, part, already_split=split) for part in (text, read_text(data / recipe.data["valid"]))
    )
    task = LanguageModelTask(
        train, valid, unroll_steps=recipe.train.unroll_steps, watched_tokens=recipe.data.get("watched_tokens")
    )
    return encoder, (), task


def corpus_ids(encoder: TextEncoder, text: str, *, already_split: bool) -> tuple[int, ...]:
    """Numbers a text for a language model; ``already_split`` as in ``corpus_words``."""
    return (encoder.encode_words(corpus_words(text)) if already_split else encoder.encode(text)).ids


def corpus_words(text: str) -> list[str]:
    """The words of a corpus whose words are divided by blanks, with <eos> behind every line (as WikiText counts)."""
    return [word for line in text.splitlines() for word in (*line.split(), END_OF_LINE)]


def _classification(recipe: Recipe, data: Path) -> _Parts:
    held_out = read_classification(data / recipe.data["valid"])
    read = [row for path in recipe.data["train"] for row in read_classification(data / path)]
    rows = list(dict.fromkeys(without_overlap(read, held_out)))
    encoder, labels = _encoder(recipe, [text for _, text in rows]), tuple(recipe.data["labels"])
    train, valid = (classified(part, encoder, labels) for part in (rows, held_out))
    return encoder, labels, LabelledTask(train, valid, labels=labels, tagging=False)


def _tagging(recipe: Recipe, data: Path) -> _Parts:
    read = [sentence for path in recipe.data["train"] for sentence in read_tagging(data / path)]
    sentences = with_copies(
        read,
        bare_every=recipe.data.get("bare_copies_every", 0),
        lowercase_every=recipe.data.get("lowercase_copies_every", 0),
    )
    encoder = _encoder(recipe, [word for words, _ in sentences for word in words])
    found = {tag for _, tags in sentences for tag in tags}
    labels = tuple(sorted(found, key=lambda tag: (tag != "O", tag[2:], tag)))
    train, valid = (tagged(part, encoder, labels) for part in (sentences, read_tagging(data / recipe.data["valid"])))
    return encoder, labels, LabelledTask(train, valid, labels=labels, tagging=True)


def with_copies(sentences: Sequence[Tagged], *, bare_every: int, lowercase_every: int) -> list[Tagged]:
    """Adds copies, so that a model also knows titles and hasty typing; 0 for none.

    Args:
        sentences: words and tags.
        bare_every: n for a copy of every n-th sentence without its final full stop.
        lowercase_every: n for a copy of every n-th sentence in small letters.
    """
    ended = [(words[:-1], tags[:-1]) for words, tags in sentences if words[-1] == "." and len(words) > 1]
    bare = ended[::bare_every] if bare_every else []
    chosen = sentences[::lowercase_every] if lowercase_every else []
    return [*sentences, *bare, *((tuple(word.lower() for word in words), tags) for words, tags in chosen)]


_READERS: Mapping[str, Callable[[Recipe, Path], _Parts]] = MappingProxyType(
    {"language_model": _language_model, "classification": _classification, "tagging": _tagging}
)


def classified(rows: Sequence[Labelled], encoder: TextEncoder, labels: Sequence[str]) -> list[Example]:
    """Numbers rows whose labels are 0, 1 ... in the order of the classes."""
    numbered = {str(index): index for index in range(len(labels))}
    for label, _ in rows:
        if label not in numbered:
            raise unknown_name("label", label, numbered)
    return [Example(encoded=encoder.encode(text), target=numbered[label]) for label, text in rows]


def tagged(sentences: Sequence[Tagged], encoder: TextEncoder, labels: Sequence[str]) -> list[Example]:
    """Numbers sentences of words and tags."""
    numbered = {tag: index for index, tag in enumerate(labels)}
    unknown = {tag for _, tags in sentences for tag in tags} - set(numbered)
    if unknown:
        raise unknown_name("tag", min(unknown), labels)
    return [
        Example(encoded=encoder.encode_words(words), target=tuple(numbered[tag] for tag in tags))
        for words, tags in sentences
    ]


def word_vectors(prepared: Prepared, *, data: Path) -> Tensor | None:
    """The first word vectors, counted as the recipe's [embeddings] table says; None if it has none."""
    options = dict(prepared.recipe.embeddings)
    if not options or not isinstance(prepared.encoder, TextEncoder):
        return None
    encode = prepared.encoder.encode
    lines = [line for path in options.pop("texts") for line in read_text(data / path).split("\n")]
    return cooccurrence_vectors(
        [*prepared.task.training_ids(), *(encode(line).ids for line in lines)],
        vocabulary_size=prepared.config.vocabulary_size,
        size=prepared.config.embedding_size,
        seed=prepared.recipe.train.seed,
        **options,
    )

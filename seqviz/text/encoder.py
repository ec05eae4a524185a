"""The encoder of a model: text -> pieces, ids and their place in the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from seqviz.errors import CheckpointError, unknown_name
from seqviz.text.subwords import subword_buckets

UNKNOWN = "<unk>"
"""The piece that stands for everything outside the vocabulary."""

END_OF_LINE = "<eos>"
"""The piece of a line's end in a WikiText vocabulary."""

EncoderKind = Literal["character", "word", "wikitext"]

# Words as in the Penn Treebank: "doesn't" is does + n't, "film's" is film + 's, "-lrb-" stays whole.
_WORD_PATTERN = (
    r"(?i)-[lr][rcs]b-|\p{L}[\p{L}\p{M}]*?(?=n't)|n't|'(?:s|m|d|ll|re|ve)\b"
    r"|[\p{L}\p{M}]+(?:(?!'(?:s|m|d|ll|re|ve)\b)[-'’.]\p{L}[\p{L}\p{M}]*)*|\p{N}+(?:[.,:]\p{N}+)*|[^\s]"
)

# Words as in WikiText: "didn't" is didn + 't, "F.C." stays whole, "1,000" is 1 @,@ 000 and "play-offs" play @-@ offs.
_WIKITEXT_PATTERN = (
    r"<unk>|<eos>|@[-.,]@|'[\p{L}\p{M}]+|(?:\p{L}\.){2,}|(?:Mrs?|Ms|Dr|St|Jr|No|Lt|Inc|Bros)\."
    r"|\p{Lu}\.(?=\s+\p{Lu})|\.{3}|[\p{L}\p{M}\p{N}]+|[^\s]"
)
_WIKITEXT_REWRITES = (
    (r"\n", f" {END_OF_LINE} "),
    (r"(?<=[\p{L}\p{N}])-(?=[\p{L}\p{N}])", " @-@ "),
    (r"(?<=\p{N}),(?=\p{N})", " @,@ "),
    (r"(?<=\p{N})\.(?=\p{N})", " @.@ "),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A text as the model sees it.

    Args:
        pieces: the vocabulary entry of each piece; ``<unk>`` where there is none.
        originals: the same pieces as they were written.
        ids: index of each piece in the vocabulary.
        buckets: rows of the n-gram table of each piece; empty tuples for models without one.
    """

    pieces: tuple[str, ...]
    originals: tuple[str, ...]
    ids: tuple[int, ...]
    buckets: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.ids)


class TextEncoder:
    """Splits a text into characters or words and numbers them.

    Args:
        tokenizer: of the `tokenizers` library, with ``<unk>`` in its vocabulary.
        buckets: rows of the model's n-gram table, 0 for none.
    """

    def __init__(self, tokenizer: Tokenizer, *, buckets: int = 0) -> None:
        self._tokenizer = tokenizer
        self._buckets = buckets
        entries = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        self.vocabulary = tuple(piece for piece, _ in entries)
        self.unknown_id = self.vocabulary.index(UNKNOWN)

    @classmethod
    def build(
        cls,
        words: Iterable[str],
        *,
        kind: EncoderKind,
        lowercase: bool = False,
        min_count: int = 1,
        max_size: int = 1_000_000,
        buckets: int = 0,
        already_split: bool = False,
    ) -> Self:
        """Counts the pieces of a training text and keeps the frequent ones, the most frequent first.

        Args:
            words: training texts, or for tagged data the words themselves.
            kind: pieces are characters or words.
            lowercase: look words up in lower case (their originals keep their case).
            min_count: occurrences that a piece needs to be kept.
            max_size: entries of the vocabulary at most, ``<unk>`` included.
            buckets: rows of the model's n-gram table, 0 for none.
            already_split: each of ``words`` is one piece, not to be split any further.
        """
        draft = cls(_tokenizer({UNKNOWN: 0}, kind=kind, lowercase=lowercase), buckets=buckets)
        counts = Counter(words if already_split else (piece for text in words for piece in draft._split(text)))
        frequent = [piece for piece, count in counts.most_common() if count >= min_count and piece != UNKNOWN]
        vocabulary = {piece: index for index, piece in enumerate([UNKNOWN, *frequent[: max_size - 1]])}
        return cls(_tokenizer(vocabulary, kind=kind, lowercase=lowercase), buckets=buckets)

    @classmethod
    def load(cls, path: Path, *, buckets: int = 0) -> Self:
        """Reads ``tokenizer.json``; raises CheckpointError if it is not one."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for every fault
            raise CheckpointError(
                "{path} is not a tokenizer: {reason}", path=f"{path.parent.name}/{path.name}", reason=error
            ) from error
        if UNKNOWN not in tokenizer.get_vocab():
            raise CheckpointError("{path} has no {unknown} entry.", path=path.name, unknown=UNKNOWN)
        return cls(tokenizer, buckets=buckets)

    def to_json(self) -> str:
        """The text of ``tokenizer.json``."""
        return self._tokenizer.to_str(pretty=True)

    def encode(self, text: str) -> Encoded:
        """Splits and numbers a text of any language."""
        text = scalar(text)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        originals = tuple(text[start:end] for start, end in encoding.offsets)
        return self._encoded(tuple(encoding.ids), originals)

    def encode_words(self, words: Sequence[str]) -> Encoded:
        """Numbers words that are already split (tagged data)."""
        return self._encoded(tuple(self._lookup(word) for word in words), tuple(words))

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The vocabulary entries of ids."""
        return tuple(self.vocabulary[index] for index in ids)

    def _encoded(self, ids: tuple[int, ...], originals: tuple[str, ...]) -> Encoded:
        return Encoded(
            pieces=self.decode(ids),
            originals=originals,
            ids=ids,
            buckets=tuple(subword_buckets(word, self._buckets) if self._buckets else () for word in originals),
        )

    def _normalized(self, text: str) -> str:
        normalizer = self._tokenizer.normalizer
        return normalizer.normalize_str(text) if normalizer is not None else text

    def _split(self, text: str) -> list[str]:
        return [piece for piece, _ in self._tokenizer.pre_tokenizer.pre_tokenize_str(self._normalized(text))]

    def _lookup(self, word: str) -> int:
        # A word of the vocabulary is itself, whatever the normalizer would make of it.
        for form in (word, self._normalized(word)):
            if (index := self._tokenizer.token_to_id(form)) is not None:
                return int(index)
        return self.unknown_id


def scalar(text: str) -> str:
    """A text that UTF-8 can hold: lone surrogates become the replacement character, everything else stays."""
    return text.encode("utf-8", "replace").decode("utf-8") if any("\ud800" <= c <= "\udfff" for c in text) else text


def _tokenizer(vocabulary: dict[str, int], *, kind: EncoderKind, lowercase: bool) -> Tokenizer:
    patterns: dict[EncoderKind, tuple[str, bool]] = {
        "character": (r"[\s\S]", False),
        "word": (_WORD_PATTERN, True),
        "wikitext": (_WIKITEXT_PATTERN, True),
    }
    if kind not in patterns:
        raise unknown_name("tokenizer kind", kind, patterns)
    pattern, invert = patterns[kind]
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    # "removed" with an inverted match keeps exactly what the pattern finds and drops what lies between.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(pattern), behavior="removed" if invert else "isolated", invert=invert
    )
    rewrites = _WIKITEXT_REWRITES if kind == "wikitext" else ()
    steps: list[normalizers.Normalizer] = [normalizers.Replace(Regex(found), written) for found, written in rewrites]
    steps += [normalizers.Lowercase()] if lowercase else []
    if steps:
        tokenizer.normalizer = normalizers.Sequence(steps) if len(steps) > 1 else steps[0]
    return tokenizer

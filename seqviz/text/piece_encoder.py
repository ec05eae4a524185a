"""The encoder of a translation model: byte pair encoding over both languages, nothing unknown, and back to text.

A word that follows a blank begins with ``▁`` (Kudo and Richardson 2018). Where two words touch without a blank
(``l'Afrique``, ``Voulez-vous``) the mark ``‿`` stands behind the apostrophe or the hyphen and the second word begins
with ``▁`` all the same, so that a rare noun is the same piece with and without its elided article. Punctuation marks,
digits and Chinese characters are pieces of their own. A character that the training text does not have is spelled in
bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Self

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from seqviz.errors import CheckpointError
from seqviz.text.encoder import UNKNOWN, Encoded, scalar

PADDING, BEGIN, END = "<pad>", "<bos>", "<eos>"
PAD_ID, UNKNOWN_ID, BOS_ID, EOS_ID = range(4)
_BYTES = tuple(f"<0x{value:02X}>" for value in range(256))

_GLUE, _BLANK = "‿", "▁"
_GLUED = f"{_GLUE}{_BLANK}"
# French elisions (l', qu', jusqu' ...) and hyphens between letters; each length needs its own lookbehind.
_ELISION = (
    r"(?i)(?:(?<=\b[cdjlmnst])|(?<=\bqu)|(?<=\bjusqu)|(?<=\blorsqu)|(?<=\bpuisqu)|(?<=\bpresqu)|(?<=\bquoiqu))"
    r"'(?=\p{L})"
)
_HYPHEN = r"(?<=\p{L})-(?=\p{L})"
# One piece each: a Chinese character, a digit, a mark with the blank before and the glue behind it.
_ALONE = rf"\p{{Han}}|{_BLANK}?\p{{N}}|{_BLANK}?(?:[^\p{{L}}\p{{M}}\p{{N}}{_BLANK}{_GLUE}']){_GLUE}?"


class PieceEncoder:
    """Splits a text into subword pieces, numbers them, and joins pieces to text again.

    Args:
        tokenizer: of the `tokenizers` library, a BPE model with byte fallback whose first entries are
            ``<pad>``, ``<unk>``, ``<bos>`` and ``<eos>``.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        entries = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        self.vocabulary = tuple(piece for piece, _ in entries)

    @classmethod
    def build(cls, texts: Iterable[str], *, max_size: int, min_count: int = 1) -> Self:
        """Learns the merges of the frequent pairs (Sennrich et al. 2016).

        Args:
            texts: training texts of both languages.
            max_size: entries of the vocabulary, the 260 marks and bytes among them.
            min_count: occurrences that a pair needs to be merged.
        """
        specials = [PADDING, UNKNOWN, BEGIN, END, *_BYTES]
        draft = _tokenizer(models.BPE())
        draft.train_from_iterator(
            texts,
            trainers.BpeTrainer(
                vocab_size=max_size, min_frequency=min_count, special_tokens=specials, show_progress=False
            ),
        )
        learned = json.loads(draft.to_str())["model"]
        merges = [(first, second) for first, second in learned["merges"]]
        # Without the trainer's special entries: "<eos>" typed by a person is five letters and marks, not the end.
        model = models.BPE(learned["vocab"], merges, unk_token=UNKNOWN, byte_fallback=True)
        return cls(_tokenizer(model))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads ``tokenizer.json``; raises CheckpointError if it is not one of a translation model."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for every fault
            raise CheckpointError(
                "{path} is not a tokenizer: {reason}", path=f"{path.parent.name}/{path.name}", reason=error
            ) from error
        encoder = cls(tokenizer)
        if encoder.vocabulary[:4] != (PADDING, UNKNOWN, BEGIN, END):
            raise CheckpointError("{path} is not the tokenizer of a translation model.", path=path.name)
        return encoder

    def to_json(self) -> str:
        """The text of ``tokenizer.json``."""
        return self._tokenizer.to_str(pretty=True)

    def encode(self, text: str) -> Encoded:
        """Splits and numbers a text of any language; without <bos> and <eos>."""
        text = scalar(text)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoded(
            pieces=tuple(encoding.tokens),
            originals=_originals(text, encoding.tokens, encoding.offsets),
            ids=tuple(encoding.ids),
            buckets=((),) * len(encoding.ids),
        )

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Only the ids, of many texts at once."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text that pieces spell; <pad>, <bos> and <eos> are left out."""
        return joined([self.vocabulary[index] for index in ids if index not in (PAD_ID, BOS_ID, EOS_ID)])

    def word_groups(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Which pieces make a word for the eye: half-open ranges over ``ids`` that cover them all.

        A word is the pieces from one ``▁`` to the next; punctuation marks, Chinese characters and <eos> stand alone.
        """
        return grouped([self.vocabulary[number] for number in ids])


def grouped(pieces: Iterable[str], *, alone: Container[str] = ()) -> list[tuple[int, int]]:
    """Pieces as words for the eye; see ``PieceEncoder.word_groups``.

    Args:
        pieces: with ``▁`` before a word.
        alone: further pieces that stand alone.
    """
    groups: list[tuple[int, int]] = []
    before = ""
    for index, piece in enumerate(pieces):
        one, other = (_stands_alone(name) or name in alone for name in (piece, before))
        if not groups or piece.startswith(_BLANK) or one or (other and before != _BLANK):
            groups.append((index, index + 1))
        else:
            groups[-1] = (groups[-1][0], index + 1)
        before = piece
    return groups


def joined(pieces: Sequence[str]) -> str:
    """Pieces to text: ``▁l '‿ ▁Af rique`` -> ``l'Afrique``; runs of bytes become the characters they encode."""
    spelled: list[str] = []
    pending = bytearray()
    for piece in [*pieces, ""]:
        if re.fullmatch(r"(?:<0x[0-9A-F]{2}>)+", piece):
            pending.extend(int(value, 16) for value in re.findall(r"<0x(..)>", piece))
            continue
        if pending:
            spelled.append(pending.decode("utf-8", "replace"))
            pending.clear()
        spelled.append(piece)
    text = "".join(spelled).replace(_GLUED, "").replace(_GLUE, "").replace(_BLANK, " ")
    return text.removeprefix(" ")


def _originals(text: str, pieces: Sequence[str], offsets: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What was written for each piece, without the blank before it; the piece behind a glue repeats no mark."""
    originals = []
    before = ""
    for piece, (start, end) in zip(pieces, offsets, strict=True):
        originals.append(text[start + before.endswith(_GLUE) : end].strip())
        before = piece
    return tuple(originals)


def _stands_alone(piece: str) -> bool:
    if piece in (PADDING, UNKNOWN, BEGIN, END):
        return True
    if re.fullmatch(r"<0x[0-9A-F]{2}>", piece):
        return False
    bare = piece.removeprefix(_BLANK).removesuffix(_GLUE)
    return len(bare) == 1 and bare != "'" and (not bare.isalnum() or "\u2e80" <= bare <= "\u9fff")


def _tokenizer(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Replace("’", "'"),
            normalizers.Replace(_BLANK, "_"),
            normalizers.Replace(_GLUE, " "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
            normalizers.Replace(Regex(_ELISION), f"'{_GLUE} "),
            normalizers.Replace(Regex(_HYPHEN), f"-{_GLUE} "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=_BLANK, prepend_scheme="always", split=True),
            pre_tokenizers.Split(Regex(_ALONE), behavior="isolated"),
        ]
    )
    return tokenizer

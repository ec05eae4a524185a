"""The tokenizer of an own model behind the words that ``PieceEncoder`` uses: pieces, ids, words for the eye.

Tokenizers write the blank before a word in different ways; here it is always ``▁``, and a part of a character is its
bytes (``<0xE4>``), as in the vocabularies of this project, so that every picture reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from seqviz.text.encoder import scalar
from seqviz.text.piece_encoder import grouped

Side = Literal["source", "target"]


class OwnEncoder:
    """One side of a tokenizer of `transformers`.

    Args:
        tokenizer: of `transformers`.
        size: pieces that the model knows on this side.
        side: whose spelling is used where both languages have their own.
    """

    def __init__(self, tokenizer: Any, *, size: int, side: Side) -> None:
        self._tokenizer = tokenizer
        self._side = side
        self._special = frozenset(tokenizer.all_special_ids)
        named = (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token)
        self._marks = tuple(str(mark) for mark in named if mark)
        self.vocabulary = _names(tokenizer, size, side, self._special)
        self._special_names = frozenset(self.vocabulary[token] for token in self._special if token < size)

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of a text with all marks that the model expects around it.

        A beginning or an end that a reader types is letters, not the mark: ``</s>`` is read as ``< /s>``. Marks that
        are meant to be typed (``<mask>``, ``<extra_id_0>``, ``>>fra<<``) stay.
        """
        text = scalar(text)
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        named = {"text": text} if self._side == "source" else {"text_target": text}
        ids = self._tokenizer(**named, verbose=False)["input_ids"]
        return tuple(int(token) for token in ids)

    def has_text(self, ids: Iterable[int]) -> bool:
        """Whether there is more than marks."""
        return any(token not in self._special for token in ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text that pieces spell, without marks."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True)).strip()

    def word_groups(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Which pieces make a word for the eye; as ``PieceEncoder.word_groups``, marks stand alone."""
        return grouped([self.vocabulary[token] for token in ids], alone=self._special_names)


def _names(tokenizer: Any, size: int, side: Side, special: frozenset[int]) -> tuple[str, ...]:
    found: dict[int, str]
    if side == "source" and getattr(tokenizer, "separate_vocabs", False):
        found = {int(token): str(piece) for piece, token in tokenizer.encoder.items()}
    elif getattr(tokenizer, "separate_vocabs", False):
        found = {int(token): str(piece) for piece, token in tokenizer.target_encoder.items()}
    else:
        found = {int(token): str(piece) for piece, token in tokenizer.get_vocab().items()}
    if _by_bytes(tokenizer):
        found = {token: piece if token in special else _from_bytes(piece) for token, piece in found.items()}
    return tuple(found.get(token, f"#{token}") for token in range(size))


def _by_bytes(tokenizer: Any) -> bool:
    """Whether its pieces are bytes in disguise (Radford et al. 2019)."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return type(getattr(backend, "decoder", None)).__name__ == "ByteLevel"


def _disguise() -> dict[str, int]:
    """Which character stands for which byte: printable ones for themselves, the others from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _disguise()


def _from_bytes(piece: str) -> str:
    if not all(character in _BYTE_OF for character in piece):
        return piece
    spelled = bytes(_BYTE_OF[character] for character in piece)
    try:
        return spelled.decode().replace(" ", "▁")
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in spelled)

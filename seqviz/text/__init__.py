"""Text to pieces and ids: adapters over the `tokenizers` library."""

from seqviz.text.encoder import UNKNOWN, Encoded, TextEncoder
from seqviz.text.piece_encoder import PieceEncoder
from seqviz.text.subwords import subword_buckets

__all__ = ["UNKNOWN", "Encoded", "PieceEncoder", "TextEncoder", "subword_buckets"]

"""Every picture of the app in one call: ``pictures.gates("shakespeare-lstm", "To be, or not to be")``.

A function for each picture, the same one as on the page: it asks what the page asks and draws with what the page draws
with. What comes back shows itself in a notebook and has ``to_html()`` (one file, works offline); all but the coloured
texts have ``to_svg()`` and ``to_png()`` as well.

    from seqviz import pictures
    pictures.unroll("entities-bilstm", "Yesterday, Harry Potter met Hermione Granger.")
    pictures.attention("fra-eng-attention", "Jane visite l'Afrique en septembre.").to_html()

This module needs torch: it holds the models in this process.
"""

from seqviz.attention_edits import parse_edits
from seqviz.pictures.attention import (
    attention,
    attention_edit,
    bleu_by_length,
    readings,
    ribbons,
)
from seqviz.pictures.base import Appearance, ChartPicture, Picture
from seqviz.pictures.gates import (
    all_gates,
    carried_memory,
    gates,
    half_lives,
    intervention,
    number_unit,
    variants,
)
from seqviz.pictures.gradients import dependency, gradients, jacobians, laboratory, shared_weights
from seqviz.pictures.searches import decoding, search_tree
from seqviz.pictures.training import clipping, projection
from seqviz.pictures.translation import encoder_decoder, pair_steps, pair_sums, side_by_side
from seqviz.pictures.units import moments, rankings, saturation, unit_series, unit_text
from seqviz.pictures.unroll import unroll

__all__ = [
    "Appearance",
    "ChartPicture",
    "Picture",
    "all_gates",
    "attention",
    "attention_edit",
    "bleu_by_length",
    "carried_memory",
    "clipping",
    "decoding",
    "dependency",
    "encoder_decoder",
    "gates",
    "gradients",
    "half_lives",
    "intervention",
    "jacobians",
    "laboratory",
    "moments",
    "number_unit",
    "pair_steps",
    "pair_sums",
    "parse_edits",
    "projection",
    "rankings",
    "readings",
    "ribbons",
    "saturation",
    "search_tree",
    "shared_weights",
    "side_by_side",
    "unit_series",
    "unit_text",
    "unroll",
    "variants",
]

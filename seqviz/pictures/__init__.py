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
    alignment_error,
    attention,
    attention_edit,
    attention_step,
    bleu_by_length,
    changed_pieces,
    good_attention,
    growing_sentence,
    readings,
    ribbons,
    score_functions,
)
from seqviz.pictures.base import Appearance, ChartPicture, PagePicture, Picture
from seqviz.pictures.gates import (
    all_gates,
    carried_memory,
    gates,
    half_lives,
    intervention,
    number_unit,
    variants,
)
from seqviz.pictures.gradients import (
    activations,
    dependency,
    gradient_sum,
    gradients,
    jacobians,
    laboratory,
    memory_cell,
    product_norms,
    shared_weights,
)
from seqviz.pictures.judging import beam_sizes, bleu, error_shares, pair_steps, pair_sums, side_by_side
from seqviz.pictures.searches import decoding, search_tree
from seqviz.pictures.training import cliff, cliff_surface, clipping, find_cliff, projection
from seqviz.pictures.translation import encoder_decoder, network_sum
from seqviz.pictures.units import moments, rankings, saturation, unit_series, unit_text
from seqviz.pictures.unroll import home, output, unit_sum, unroll

__all__ = [
    "Appearance",
    "ChartPicture",
    "PagePicture",
    "Picture",
    "activations",
    "alignment_error",
    "all_gates",
    "attention",
    "attention_edit",
    "attention_step",
    "beam_sizes",
    "bleu",
    "bleu_by_length",
    "carried_memory",
    "changed_pieces",
    "cliff",
    "cliff_surface",
    "clipping",
    "decoding",
    "dependency",
    "encoder_decoder",
    "error_shares",
    "find_cliff",
    "gates",
    "good_attention",
    "gradient_sum",
    "gradients",
    "growing_sentence",
    "half_lives",
    "home",
    "intervention",
    "jacobians",
    "laboratory",
    "memory_cell",
    "moments",
    "network_sum",
    "number_unit",
    "output",
    "pair_steps",
    "pair_sums",
    "parse_edits",
    "product_norms",
    "projection",
    "rankings",
    "readings",
    "ribbons",
    "saturation",
    "score_functions",
    "search_tree",
    "shared_weights",
    "side_by_side",
    "unit_series",
    "unit_sum",
    "unit_text",
    "unroll",
    "variants",
]

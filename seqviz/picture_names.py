"""The names that ``seqviz export --view`` knows, with what each draws. No torch here: the command's help reads it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PICTURES: Mapping[str, str] = MappingProxyType(
    {
        "unroll": "the unrolled network reading the text",
        "gradients": "a loss going back through time",
        "shared-weights": "what every step adds to the gradient of a shared matrix",
        "dependency": "was or were behind the clause TEXT, by the word model NAME",
        "jacobians": "singular values of the products of Jacobians",
        "laboratory": "vanishing and exploding gradients; NAME is a list of cells: rnn,gru,lstm",
        "clipping": "a training with and without clipping; NAME is a task: adding or copy",
        "projection": "one gradient being clipped; NAME is its two components: 2.6,1.2",
        "gates": "the cell of one unit, alive",
        "all-gates": "every gate of a layer",
        "memory": "how much a unit keeps how long",
        "half-lives": "after how many steps units have forgotten half",
        "number-unit": "the unit of the word model NAME that carries number",
        "variants": "a gate's mean in several cells; NAME is a list of models",
        "intervention": "what forcing a gate (--force) changes in a layer",
        "units": "a long text coloured by its best unit; without TEXT an example",
        "saturation": "gates that are open or shut nearly always; without TEXT an example",
        "moments": "where else the units of a span (--span) are on; without TEXT an example",
        "rankings": "which model's units track what; NAME is a list of models",
        "search": "the search for a translation as a tree",
        "side-by-side": "greedy, beams, sampling and exact search in a table",
        "pair-steps": "what each piece of --reference and of the model's translation costs",
        "pair-sums": "the running sums of both",
        "network": "encoder and decoder, unrolled",
        "attention": "the weights of attention as a heatmap",
        "ribbons": "the same as ribbons",
        "edit": "a translation whose attention was changed by hand (--edits)",
        "explanation": "attention beside gradients and words left out",
        "length": "BLEU by the length of the source; NAME is a list of models",
        "decoding": "a search on a table of probabilities; NAME is an example: syllabus, missed, length, jane",
    }
)

"""The names that ``seqviz export --view`` knows, with what each draws. No torch here: the command's help reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import fill
from types import MappingProxyType

from seqviz.errors import UnknownNameError, unknown_name

_PAIR = "TEXT reference beam alpha"
_LONG = "TEXT quantity layer unit"
_ONLY_HTML = ("units", "moments", "side-by-side", "bleu", "cliff-surface")


@dataclass(frozen=True, slots=True)
class PictureName:
    """What a name stands for.

    Args:
        page: of the app, where the picture stands.
        says: what is drawn, in a few words.
        takes: which of TEXT and the options it heeds, as fields of ``seqviz.pictures.by_name.Asked``.
        only_html: it is a page, and no still picture.
    """

    page: str
    says: str
    takes: tuple[str, ...]
    only_html: bool

    @property
    def options(self) -> tuple[str, ...]:
        """What it takes, as it is typed: ``TEXT``, ``--loss-step``."""
        return tuple(option_name(field) for field in self.takes)


def option_name(field: str) -> str:
    """A field of ``seqviz.pictures.by_name.Asked`` as it is typed."""
    return "TEXT" if field == "text" else f"--{field.replace('_', '-')}"


def _named(page: str, pictures: Mapping[str, tuple[str, str]]) -> dict[str, PictureName]:
    return {
        name: PictureName(page, says, tuple(takes.lower().split()), name in _ONLY_HTML)
        for name, (says, takes) in pictures.items()
    }


PICTURES: Mapping[str, PictureName] = MappingProxyType(
    _named(
        "Home",
        {
            "home": ("the network alone, reading the text", "TEXT"),
        },
    )
    | _named(
        "Unroll",
        {
            "unroll": ("the unrolled network with its heatmap", "TEXT structure quantity layer"),
            "unit-sum": (
                "the sum behind a gate or candidate (--quantity) of a unit",
                "TEXT quantity layer unit step",
            ),
            "output": ("the most probable answers at a step", "TEXT step"),
        },
    )
    | _named(
        "Gradients",
        {
            "gradients": ("a loss going back through time", "TEXT layer loss_step"),
            "gradient-sum": ("the sum behind the gradient of a unit", "TEXT layer unit step loss_step"),
            "shared-weights": (
                "what every step adds to the gradient of weight_hidden, weight_input or weight_output (--quantity)",
                "TEXT quantity layer loss_step",
            ),
            "weight-tiles": (
                "the strongest steps of it as tiles, and their sum",
                "TEXT quantity layer loss_step",
            ),
            "dependency": ("was or were behind the clause TEXT, by the word models NAME", "TEXT"),
            "dependency-gradient": ("the gradient that still reaches the subject", "TEXT"),
            "jacobians": ("singular values of the products of Jacobians", "TEXT layer"),
            "step-jacobians": ("singular values of every step's Jacobian", "TEXT layer"),
            "product-norms": (
                "the most that k steps can make of an error; NAME is a list of models",
                "TEXT layer",
            ),
            "laboratory": ("vanishing and exploding gradients; NAME is a list of cells: rnn,gru,lstm", ""),
            "memory-cell": ("a memory's link to itself of weight 1, and of 1 ∓ NAME: 0.1", ""),
            "activations": (
                "activations and their slopes; NAME stands out: logistic, tanh, relu, leaky_relu, elu or identity",
                "",
            ),
            "projection": ("one gradient being clipped; NAME is its two components: 2.6,1.2", ""),
            "clipping": ("a training with and without clipping, a minute; NAME is a task: adding or copy", ""),
            "cliff": ("the loss along the gradient where that training jumped; NAME as for clipping", ""),
            "cliff-near": ("the same close to the weights", ""),
            "cliff-surface": ("the same as a surface to be turned", ""),
        },
    )
    | _named(
        "Gates",
        {
            "gates": ("the cell of one unit, alive", "TEXT layer unit step"),
            "all-gates": ("every gate of a layer", "TEXT quantity layer"),
            "memory": ("how much a unit keeps how long", "TEXT layer unit"),
            "all-memory": ("what all units keep from a step on", "TEXT layer step"),
            "half-lives": ("after how many steps units have forgotten half", "TEXT layer step"),
            "number-unit": ("the unit of the word model NAME that carries number", ""),
            "variants": (
                "a gate's mean in several cells; NAME is a list of models, --quantity keeps, writes, reset or shows",
                "TEXT quantity",
            ),
            "intervention": ("what forcing a gate (--force) changes in a layer", "TEXT force quantity layer"),
            "intervention-output": ("how far it moves the output at every step", "TEXT force step"),
            "intervention-moved": ("which probabilities it moves at a step", "TEXT force step"),
            "intervention-gradients": (
                "what it does to the gradients of --quantity hidden_state or cell_state",
                "TEXT force quantity layer step loss_step",
            ),
        },
    )
    | _named(
        "Units",
        {
            "units": ("a long text coloured by its best unit; without TEXT an example", _LONG),
            "unit-series": ("that unit over the text", _LONG),
            "unit-values": ("its values by the property that it tracks", _LONG),
            "saturation": ("gates that are open or shut nearly always; without TEXT an example", "TEXT"),
            "moments": (
                "where else the units of a span (--span) are on; without TEXT an example",
                "TEXT span quantity",
            ),
            "rankings": ("which model's units track what; NAME is a list of models", "TEXT quantity"),
        },
    )
    | _named(
        "Translate",
        {
            "search": ("the search for a translation as a tree", "TEXT beam alpha"),
            "network": ("encoder and decoder, unrolled", "TEXT reference beam"),
            "network-sum": (
                "the sum behind a number of them; --quantity is encoder, hand_over, state, context, readout or logit",
                "TEXT reference beam quantity layer unit step",
            ),
            "side-by-side": ("greedy, beams, sampling and exact search in a table", "TEXT reference alpha"),
            "beam-sizes": ("log P of the translation by the size of the beam", "TEXT alpha"),
            "beam-bleu": ("its BLEU by the size of the beam", "TEXT reference alpha"),
            "bleu": ("BLEU by hand: the n-grams of the translation NAME against --reference", "reference"),
            "pair-steps": ("what each piece of --reference and of the model's translation costs", _PAIR),
            "pair-sums": ("the running sums of both", _PAIR),
            "error-shares": (
                "whose fault errors are, search or model, over the file --pairs; without it over our 40 pairs",
                "pairs beam alpha",
            ),
            "error-scores": ("both scores of every pair", "pairs beam alpha"),
        },
    )
    | _named(
        "Attention",
        {
            "attention": ("the weights of attention as a heatmap", "TEXT reference"),
            "ribbons": ("the same as ribbons", "TEXT reference"),
            "attention-step": ("scores and weights of one step", "TEXT reference step"),
            "next-pieces": ("the next pieces that this step holds probable", "TEXT reference step"),
            "edit": ("a translation whose attention was changed by hand (--edits)", "TEXT reference edits"),
            "edited-step": ("the next pieces at its last changed step, before and after", "TEXT reference edits"),
            "explanation": ("attention beside gradients and words left out", "TEXT reference"),
            "alignment-error": ("is attention alignment? error rates against links drawn by hand", ""),
            "growing-sentence": (
                "a sentence that grows until the fixed vector breaks; NAME is a French model, or a list",
                "",
            ),
            "length": ("BLEU by the length of the source; NAME is a list of models", ""),
            "good-attention": ("without and with the regulariser of attention", "TEXT reference"),
            "score-functions": ("twins that differ in their score function alone", "TEXT reference"),
        },
    )
    | _named(
        "Decoding",
        {
            "decoding": (
                "a search on a table of probabilities; NAME is an example: syllabus, missed, length, jane",
                "beam alpha",
            ),
        },
    )
)


def unknown_view(name: str) -> UnknownNameError:
    """Builds the error for a name that is none of them: the nearest ones, else all."""
    near = get_close_matches(name, PICTURES, n=4)
    if not near:
        return unknown_name("view", name, PICTURES)
    return UnknownNameError(
        "view {value!r} is not known; near it are: {known}. All of them: seqviz export --help",
        value=name,
        known=", ".join(near),
    )


def pictures_help(width: int) -> str:
    """All names by page of the app, with what each draws and, below it, what it takes.

    Args:
        width: of a line, in characters.
    """
    column = 2 + max(len(name) for name in PICTURES) + 2
    pages = dict.fromkeys(picture.page for picture in PICTURES.values())
    paragraphs = []
    for page in pages:
        lines = [page]
        for name, picture in PICTURES.items():
            if picture.page == page:
                start, below = f"  {name}".ljust(column), " " * column
                lines.append(fill(picture.says, width, initial_indent=start, subsequent_indent=below))
                takes = [*picture.options, *(["(only .html)"] if picture.only_html else [])]
                if takes:
                    lines.append(fill(" ".join(takes), width, initial_indent=below, subsequent_indent=below))
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)

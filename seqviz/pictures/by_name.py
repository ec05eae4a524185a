"""Pictures by the names of ``seqviz export --view``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seqviz import pictures
from seqviz.clipping import LONG_TASKS, ClippingConfig
from seqviz.config import DecodeConfig
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.laboratory import LaboratoryConfig
from seqviz.picture_names import PICTURES
from seqviz.pictures.base import DEFAULT, Appearance, Picture
from seqviz.traces import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be drawn; each picture uses what it knows.

    Args:
        name: of a checkpoint, or what ``PICTURES`` says.
        text: the sentence.
        structure: of the run; None for the natural one.
        layer, unit, step: what is looked at, from 0; None for the app's own choice.
        loss_step: the step whose loss goes back, from 0; None for the sum of all.
        quantity: gate or state; empty for the app's own choice.
        reference: a translation by a person.
        force: interventions.
        edits: of attention.
        span: words of a long text.
        beam: hypotheses that are kept; None for the app's own number.
        alpha: of the length normalisation; None for the app's own.
        appearance: how it looks.
    """

    name: str
    text: str = ""
    structure: Structure | None = None
    layer: int | None = None
    unit: int | None = None
    step: int | None = None
    loss_step: int | None = None
    quantity: str = ""
    reference: str = ""
    force: tuple[str, ...] = ()
    edits: str = ""
    span: str = ""
    beam: int | None = None
    alpha: float | None = None
    appearance: Appearance = DEFAULT

    @property
    def names(self) -> tuple[str, ...]:
        """Several of them, divided by commas."""
        return tuple(part.strip() for part in self.name.split(","))


def picture(view: str, asked: Asked) -> Picture:
    """Draws a picture.

    Args:
        view: a name of ``PICTURES``.
        asked: of what.

    Raises:
        UnknownNameError: there is no such picture.
        SeqvizError: whatever is wrong with what is asked.
    """
    if view not in PICTURES:
        raise unknown_name("view", view, PICTURES)
    return _DRAWN[view](asked)


def _clipping(asked: Asked) -> Picture:
    task = next((one for one in LONG_TASKS if one == asked.name and one != "text"), None)
    if task is None:
        raise unknown_name("task", asked.name, [one for one in LONG_TASKS if one != "text"])
    return pictures.clipping(ClippingConfig(task=task), appearance=asked.appearance)


def _projection(asked: Asked) -> Picture:
    try:
        first, second = (float(part) for part in asked.names)
    except ValueError:
        raise InvalidInputError(
            "{name!r} is no gradient; its two components are written as 2.6,1.2.", name=asked.name
        ) from None
    return pictures.projection((first, second), appearance=asked.appearance)


def _search(asked: Asked) -> Picture:
    config = DecodeConfig(beam_size=asked.beam or 5, alpha=1.0 if asked.alpha is None else asked.alpha)
    return pictures.search_tree(asked.name, asked.text, config=config, appearance=asked.appearance)


def _intervention(asked: Asked) -> Picture:
    if not asked.force:
        raise InvalidInputError("This picture needs something that is forced, for example forget_gate=0@3-5.")
    return pictures.intervention(
        asked.name,
        asked.text,
        asked.force,
        quantity=asked.quantity or "hidden_state",
        layer=asked.layer,
        step=asked.step,
        appearance=asked.appearance,
    )


_DRAWN: Mapping[str, Callable[[Asked], Picture]] = MappingProxyType(
    {
        "unroll": lambda a: pictures.unroll(
            a.name,
            a.text,
            structure=a.structure,
            quantity=a.quantity or "hidden_state",
            appearance=a.appearance,
        ),
        "gradients": lambda a: pictures.gradients(a.name, a.text, loss_step=a.loss_step, appearance=a.appearance),
        "shared-weights": lambda a: pictures.shared_weights(
            a.name, a.text, layer=a.layer or 0, loss_step=a.loss_step, appearance=a.appearance
        ),
        "dependency": lambda a: pictures.dependency(a.text, models=a.names, appearance=a.appearance),
        "jacobians": lambda a: pictures.jacobians(a.name, a.text, layer=a.layer or 0, appearance=a.appearance),
        "laboratory": lambda a: pictures.laboratory(LaboratoryConfig(cells=a.names), appearance=a.appearance),
        "clipping": _clipping,
        "projection": _projection,
        "gates": lambda a: pictures.gates(
            a.name, a.text, layer=a.layer, unit=a.unit, step=a.step, appearance=a.appearance
        ),
        "all-gates": lambda a: pictures.all_gates(
            a.name, a.text, layer=a.layer, quantity=a.quantity or "all", appearance=a.appearance
        ),
        "memory": lambda a: pictures.carried_memory(
            a.name, a.text, layer=a.layer, unit=a.unit, step=a.step, appearance=a.appearance
        ),
        "half-lives": lambda a: pictures.half_lives(
            a.name, a.text, layer=a.layer, step=a.step, appearance=a.appearance
        ),
        "number-unit": lambda a: pictures.number_unit(a.name, appearance=a.appearance),
        "variants": lambda a: pictures.variants(a.names, a.text, appearance=a.appearance),
        "intervention": _intervention,
        "units": lambda a: pictures.unit_text(a.name, a.text, quantity=a.quantity, appearance=a.appearance),
        "saturation": lambda a: pictures.saturation(a.name, a.text, appearance=a.appearance),
        "moments": lambda a: pictures.moments(
            a.name, a.text, span=a.span, quantity=a.quantity or "hidden_state", appearance=a.appearance
        ),
        "rankings": lambda a: pictures.rankings(a.names, a.text, quantity=a.quantity, appearance=a.appearance),
        "search": _search,
        "side-by-side": lambda a: pictures.side_by_side(
            a.name,
            a.text,
            references=[a.reference] if a.reference else [],
            alpha=a.alpha or 0.0,
            appearance=a.appearance,
        ),
        "pair-steps": lambda a: pictures.pair_steps(
            a.name, a.text, a.reference, beam_size=a.beam or 5, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "pair-sums": lambda a: pictures.pair_sums(
            a.name, a.text, a.reference, beam_size=a.beam or 5, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "network": lambda a: pictures.encoder_decoder(
            a.name, a.text, reference=a.reference, beam_size=a.beam or 1, appearance=a.appearance
        ),
        "attention": lambda a: pictures.attention(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "ribbons": lambda a: pictures.ribbons(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "edit": lambda a: pictures.attention_edit(
            a.name, a.text, a.edits, translation=a.reference, appearance=a.appearance
        ),
        "explanation": lambda a: pictures.readings(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "length": lambda a: pictures.bleu_by_length(a.names, appearance=a.appearance),
        "decoding": lambda a: pictures.decoding(
            a.name, beam_size=a.beam, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
    }
)

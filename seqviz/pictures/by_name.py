"""Pictures by the names of ``seqviz export --view``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal

from seqviz import pictures
from seqviz.clipping import LONG_TASKS, ClippingConfig
from seqviz.config import DecodeConfig
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.examples import CLAUSE
from seqviz.laboratory import LaboratoryConfig
from seqviz.pair_files import SentencePair
from seqviz.picture_names import PICTURES, option_name, unknown_view
from seqviz.pictures.base import DEFAULT, Appearance, Picture
from seqviz.traces import Structure
from seqviz.translation_network import SUM_QUANTITIES
from seqviz.translation_searches import DEFAULT_ALPHA, DEFAULT_BEAM, DEFAULT_LENGTH
from seqviz.units import UnitPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be drawn; each picture takes what ``PICTURES`` says.

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
        pairs: sentences with their translations by people.
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
    pairs: tuple[SentencePair, ...] = ()
    beam: int | None = None
    alpha: float | None = None
    appearance: Appearance = DEFAULT

    @property
    def names(self) -> tuple[str, ...]:
        """Several of them, divided by commas."""
        return tuple(part.strip() for part in self.name.split(","))

    @property
    def references(self) -> list[str]:
        """The translation by a person, if there is one."""
        return [self.reference] if self.reference else []


def picture(view: str, asked: Asked) -> Picture:
    """Draws a picture.

    Args:
        view: a name of ``PICTURES``.
        asked: of what.

    Raises:
        UnknownNameError: there is no such picture.
        SeqvizError: whatever is wrong with what is asked, or more is asked than the picture heeds.
    """
    if view not in PICTURES:
        raise unknown_view(view)
    _check(view, asked)
    return _DRAWN[view](asked)


def _check(view: str, asked: Asked) -> None:
    """Nothing is given that the picture would not heed."""
    takes = PICTURES[view].takes
    for field in fields(asked):
        given = field.name not in {"name", "appearance"} and getattr(asked, field.name) != field.default
        if given and field.name not in takes:
            raise InvalidInputError(
                "The view {view} does not take {option}; beside NAME it takes {known}.",
                view=view,
                option=option_name(field.name),
                known=", ".join(PICTURES[view].options) or "nothing",
            )


def _task(asked: Asked) -> ClippingConfig:
    task = next((one for one in LONG_TASKS if one == asked.name and one != "text"), None)
    if task is None:
        raise unknown_name("task", asked.name, [one for one in LONG_TASKS if one != "text"])
    return ClippingConfig(task=task)


def _memory_cell(asked: Asked) -> Picture:
    try:
        difference = float(asked.name)
    except ValueError:
        raise InvalidInputError(
            "{name!r} is no number; how far the other weights are from 1 is written as 0.1.", name=asked.name
        ) from None
    return pictures.memory_cell(difference, appearance=asked.appearance)


def _projection(asked: Asked) -> Picture:
    try:
        first, second = (float(part) for part in asked.names)
    except ValueError:
        raise InvalidInputError(
            "{name!r} is no gradient; its two components are written as 2.6,1.2.", name=asked.name
        ) from None
    return pictures.projection((first, second), appearance=asked.appearance)


def _search(asked: Asked) -> Picture:
    config = DecodeConfig(
        beam_size=asked.beam or DEFAULT_BEAM,
        max_length=DEFAULT_LENGTH,
        alpha=DEFAULT_ALPHA if asked.alpha is None else asked.alpha,
    )
    return pictures.search_tree(asked.name, asked.text, config=config, appearance=asked.appearance)


def _units(drawn: Literal["text", "steps", "values"]) -> Callable[[Asked], Picture]:
    def draw(asked: Asked) -> Picture:
        unit = None
        if asked.unit is not None:
            unit = UnitPlace(layer=asked.layer or 0, direction="forward", unit=asked.unit)
        elif asked.layer is not None:
            raise InvalidInputError("A layer alone is no unit; give --unit too.")
        if drawn == "text":
            return pictures.unit_text(
                asked.name, asked.text, quantity=asked.quantity, unit=unit, appearance=asked.appearance
            )
        return pictures.unit_series(
            asked.name, asked.text, quantity=asked.quantity, unit=unit, drawn=drawn, appearance=asked.appearance
        )

    return draw


def _intervention(drawn: Literal["states", "divergence", "moved", "gradients"]) -> Callable[[Asked], Picture]:
    def draw(asked: Asked) -> Picture:
        if not asked.force:
            raise InvalidInputError("This picture needs something that is forced, for example forget_gate=0@3-5.")
        return pictures.intervention(
            asked.name,
            asked.text,
            asked.force,
            drawn=drawn,
            quantity=asked.quantity or "hidden_state",
            layer=asked.layer,
            step=asked.step,
            loss_step=asked.loss_step,
            appearance=asked.appearance,
        )

    return draw


def _shared_weights(drawn: Literal["steps", "tiles"]) -> Callable[[Asked], Picture]:
    return lambda a: pictures.shared_weights(
        a.name,
        a.text,
        matrix=a.quantity or "weight_hidden",
        layer=a.layer or 0,
        loss_step=a.loss_step,
        drawn=drawn,
        appearance=a.appearance,
    )


def _errors(drawn: Literal["shares", "scores"]) -> Callable[[Asked], Picture]:
    return lambda a: pictures.error_shares(
        a.name, a.pairs, drawn=drawn, beam_size=a.beam or 2, alpha=a.alpha or 0.0, appearance=a.appearance
    )


def _network_sum(asked: Asked) -> Picture:
    quantity = next((one for one in SUM_QUANTITIES if one == (asked.quantity or "state")), None)
    if quantity is None:
        raise unknown_name("quantity", asked.quantity, SUM_QUANTITIES)
    return pictures.network_sum(
        asked.name,
        asked.text,
        quantity=quantity,
        reference=asked.reference,
        beam_size=asked.beam or 1,
        layer=asked.layer,
        unit=asked.unit,
        step=asked.step,
        appearance=asked.appearance,
    )


_DRAWN: Mapping[str, Callable[[Asked], Picture]] = MappingProxyType(
    {
        "home": lambda a: pictures.home(a.name, a.text, appearance=a.appearance),
        "unroll": lambda a: pictures.unroll(
            a.name,
            a.text,
            structure=a.structure,
            quantity=a.quantity or "hidden_state",
            layer=a.layer,
            appearance=a.appearance,
        ),
        "unit-sum": lambda a: pictures.unit_sum(
            a.name, a.text, block=a.quantity, layer=a.layer, unit=a.unit, step=a.step, appearance=a.appearance
        ),
        "output": lambda a: pictures.output(a.name, a.text, step=a.step, appearance=a.appearance),
        "gradients": lambda a: pictures.gradients(
            a.name, a.text, layer=a.layer, loss_step=a.loss_step, appearance=a.appearance
        ),
        "gradient-sum": lambda a: pictures.gradient_sum(
            a.name,
            a.text,
            layer=a.layer,
            unit=a.unit,
            step=a.step,
            loss_step=a.loss_step,
            appearance=a.appearance,
        ),
        "shared-weights": _shared_weights("steps"),
        "weight-tiles": _shared_weights("tiles"),
        "dependency": lambda a: pictures.dependency(a.text or CLAUSE, models=a.names, appearance=a.appearance),
        "dependency-gradient": lambda a: pictures.dependency(
            a.text or CLAUSE, models=a.names, measured="gradient", appearance=a.appearance
        ),
        "jacobians": lambda a: pictures.jacobians(a.name, a.text, layer=a.layer or 0, appearance=a.appearance),
        "step-jacobians": lambda a: pictures.jacobians(
            a.name, a.text, layer=a.layer or 0, kind="steps", appearance=a.appearance
        ),
        "product-norms": lambda a: pictures.product_norms(a.names, a.text, layer=a.layer or 0, appearance=a.appearance),
        "laboratory": lambda a: pictures.laboratory(LaboratoryConfig(cells=a.names), appearance=a.appearance),
        "memory-cell": _memory_cell,
        "activations": lambda a: pictures.activations(a.name, appearance=a.appearance),
        "projection": _projection,
        "clipping": lambda a: pictures.clipping(_task(a), appearance=a.appearance),
        "cliff": lambda a: pictures.cliff(_task(a), appearance=a.appearance),
        "cliff-near": lambda a: pictures.cliff(_task(a), near=True, appearance=a.appearance),
        "cliff-surface": lambda a: pictures.cliff_surface(_task(a), appearance=a.appearance),
        "gates": lambda a: pictures.gates(
            a.name, a.text, layer=a.layer, unit=a.unit, step=a.step, appearance=a.appearance
        ),
        "all-gates": lambda a: pictures.all_gates(
            a.name, a.text, layer=a.layer, quantity=a.quantity or "all", appearance=a.appearance
        ),
        "memory": lambda a: pictures.carried_memory(
            a.name, a.text, layer=a.layer, unit=a.unit, appearance=a.appearance
        ),
        "all-memory": lambda a: pictures.carried_memory(
            a.name, a.text, layer=a.layer, step=a.step, drawn="all", appearance=a.appearance
        ),
        "half-lives": lambda a: pictures.half_lives(
            a.name, a.text, layer=a.layer, step=a.step, appearance=a.appearance
        ),
        "number-unit": lambda a: pictures.number_unit(a.name, appearance=a.appearance),
        "variants": lambda a: pictures.variants(a.names, a.text, role=a.quantity or "keeps", appearance=a.appearance),
        "intervention": _intervention("states"),
        "intervention-output": _intervention("divergence"),
        "intervention-moved": _intervention("moved"),
        "intervention-gradients": _intervention("gradients"),
        "units": _units("text"),
        "unit-series": _units("steps"),
        "unit-values": _units("values"),
        "saturation": lambda a: pictures.saturation(a.name, a.text, appearance=a.appearance),
        "moments": lambda a: pictures.moments(
            a.name, a.text, span=a.span, quantity=a.quantity or "hidden_state", appearance=a.appearance
        ),
        "rankings": lambda a: pictures.rankings(a.names, a.text, quantity=a.quantity, appearance=a.appearance),
        "search": _search,
        "network": lambda a: pictures.encoder_decoder(
            a.name, a.text, reference=a.reference, beam_size=a.beam or 1, appearance=a.appearance
        ),
        "network-sum": _network_sum,
        "side-by-side": lambda a: pictures.side_by_side(
            a.name, a.text, references=a.references, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "beam-sizes": lambda a: pictures.beam_sizes(a.name, a.text, alpha=a.alpha or 0.0, appearance=a.appearance),
        "beam-bleu": lambda a: pictures.beam_sizes(
            a.name, a.text, references=a.references, drawn="bleu", alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "bleu": lambda a: pictures.bleu(a.name, a.references, appearance=a.appearance),
        "pair-steps": lambda a: pictures.pair_steps(
            a.name, a.text, a.reference, beam_size=a.beam or 5, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "pair-sums": lambda a: pictures.pair_sums(
            a.name, a.text, a.reference, beam_size=a.beam or 5, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
        "error-shares": _errors("shares"),
        "error-scores": _errors("scores"),
        "attention": lambda a: pictures.attention(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "ribbons": lambda a: pictures.ribbons(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "attention-step": lambda a: pictures.attention_step(
            a.name, a.text, step=a.step, translation=a.reference, appearance=a.appearance
        ),
        "next-pieces": lambda a: pictures.attention_step(
            a.name, a.text, step=a.step, translation=a.reference, drawn="next", appearance=a.appearance
        ),
        "edit": lambda a: pictures.attention_edit(
            a.name, a.text, a.edits, translation=a.reference, appearance=a.appearance
        ),
        "edited-step": lambda a: pictures.changed_pieces(
            a.name, a.text, a.edits, translation=a.reference, appearance=a.appearance
        ),
        "explanation": lambda a: pictures.readings(a.name, a.text, translation=a.reference, appearance=a.appearance),
        "alignment-error": lambda a: pictures.alignment_error(a.name, appearance=a.appearance),
        "growing-sentence": lambda a: pictures.growing_sentence(a.names, appearance=a.appearance),
        "length": lambda a: pictures.bleu_by_length(a.names, appearance=a.appearance),
        "good-attention": lambda a: pictures.good_attention(
            a.name, a.text, translation=a.reference, appearance=a.appearance
        ),
        "score-functions": lambda a: pictures.score_functions(
            a.name, a.text, translation=a.reference, appearance=a.appearance
        ),
        "decoding": lambda a: pictures.decoding(
            a.name, beam_size=a.beam, alpha=a.alpha or 0.0, appearance=a.appearance
        ),
    }
)

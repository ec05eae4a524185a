"""What runs in a worker process. It imports torch; the parent process must never import it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, singledispatchmethod
from typing import Any

import torch
from cachetools import LRUCache

from seqviz.backends.attention_requests import AttentionRequest
from seqviz.backends.attention_worker import answer_attention
from seqviz.backends.long_requests import LongRequest
from seqviz.backends.long_worker import LongTexts
from seqviz.backends.requests import (
    MAX_PIECES,
    ActivationsRequest,
    AgreementRequest,
    BackwardRequest,
    CurvesRequest,
    GradientSumRequest,
    InterventionRequest,
    NumberUnitsRequest,
    Request,
    SpectraRequest,
    SpeedRequest,
    TraceRequest,
    TrainedSpectraRequest,
    UnitCourseRequest,
    UnitSumRequest,
)
from seqviz.backends.translation_requests import (
    MAX_NETWORK_PIECES,
    ForcedRequest,
    NetworkRequest,
    NetworkSumRequest,
    NetworkSumsRequest,
    SearchRequest,
)
from seqviz.checkpoints import fingerprint
from seqviz.config import ModelConfig
from seqviz.errors import InvalidInputError, SeqvizError
from seqviz.gates import NumberUnits, Speed, UnitCourse
from seqviz.gradients import Agreement, BackwardTrace, GradientSum
from seqviz.interventions import Intervened
from seqviz.laboratory import ActivationCurves, CellCurves, Spectra
from seqviz.models.huggingface import AnyTranslator, LoadedOwnModel, load_own_model
from seqviz.models.loading import LoadedModel, LoadedTranslator, load_model, load_translator
from seqviz.models.sequence_model import SequenceModel
from seqviz.own_models import is_own
from seqviz.traces import RecurrentTrace, UnitSum, num_bytes
from seqviz.tracing import (
    agreement,
    arithmetic,
    forward,
    gradient_sum,
    gradients,
    interventions,
    laboratory,
    number_units,
    speed,
    translation,
    translation_network,
    translation_sums,
    unit_course,
)
from seqviz.translation_network import NetworkSum, TranslationNetwork
from seqviz.translations import ForcedTranslation, TranslationSearch

KEPT_MODELS = 8
KEPT_TRANSLATORS = 6
KEPT_OWN = 2
"""Models of a reader's own, which may be large."""
KEPT_TRACES_BYTES = 32_000_000
KEPT_NETWORKS = 4
"""Pairs with all states, up to 5 MB each: the sums of a reader who steps through one need no second run."""
KEPT_PASSES = 3
"""Losses carried back that are kept: a reader steps through one of them. Up to 50 MB each with 33,000 words."""


class Worker:
    """Loaded models, the latest traces, and one method for each kind of request."""

    def __init__(self) -> None:
        self._models: LRUCache[tuple[str, str], LoadedModel] = LRUCache(KEPT_MODELS)
        self._translators: LRUCache[tuple[str, str], LoadedTranslator] = LRUCache(KEPT_TRANSLATORS)
        self._own: LRUCache[tuple[str, str], LoadedOwnModel] = LRUCache(KEPT_OWN)
        self._networks: LRUCache[tuple[NetworkRequest, str], TranslationNetwork] = LRUCache(KEPT_NETWORKS)
        self._carried: LRUCache[tuple[BackwardRequest, str], gradients.CarriedBack] = LRUCache(KEPT_PASSES)
        self._traces: LRUCache[tuple[TraceRequest, str], RecurrentTrace] = LRUCache(KEPT_TRACES_BYTES, num_bytes)
        self._long_texts = LongTexts()

    @singledispatchmethod
    def answer(self, request: object) -> Any:
        """Answers a request by its kind."""
        raise TypeError(f"no handler for {type(request).__name__}")

    @answer.register
    def _(self, request: TraceRequest) -> RecurrentTrace:
        return self._trace(request)

    @answer.register
    def _(self, request: UnitSumRequest) -> UnitSum:
        return arithmetic.unit_sum(
            self._model(request.trace.model),
            self._trace(request.trace),
            layer=request.layer,
            direction=request.direction,
            step=request.step,
            unit=request.unit,
            block=request.block,
        )

    @answer.register
    def _(self, request: BackwardRequest) -> BackwardTrace:
        return gradients.backward_trace(self._carried_back(request), weights=request.weights)

    @answer.register
    def _(self, request: GradientSumRequest) -> GradientSum:
        return gradient_sum.taken_apart(
            self._carried_back(request.backward),
            layer=request.layer,
            direction=request.direction,
            step=request.step,
            unit=request.unit,
        )

    @answer.register
    def _(self, request: AgreementRequest) -> Agreement:
        return agreement.agreement(
            self._model(request.model),
            singular=request.singular,
            plural=request.plural,
            clause=request.clause,
            verbs=request.verbs,
        )

    @answer.register
    def _(self, request: CurvesRequest) -> CellCurves:
        return laboratory.curves(request.config)

    @answer.register
    def _(self, request: SpectraRequest) -> Spectra:
        return laboratory.spectra(request.config, seed=request.seed, kind=request.kind, part=request.part)

    @answer.register
    def _(self, request: TrainedSpectraRequest) -> Spectra:
        return laboratory.trained_spectra(
            self._model(request.trace.model),
            request.trace.text,
            layer=request.layer,
            direction=request.direction,
            kind=request.kind,
            part=request.part,
            max_pieces=MAX_PIECES,
        )

    @answer.register
    def _(self, request: UnitCourseRequest) -> UnitCourse:
        return unit_course.unit_course(
            self._model(request.trace.model),
            self._trace(request.trace),
            layer=request.layer,
            direction=request.direction,
            unit=request.unit,
        )

    @answer.register
    def _(self, request: InterventionRequest) -> Intervened:
        return interventions.intervene(
            self._model(request.trace.model),
            request.trace.text,
            request.interventions,
            targets=request.trace.targets,
            loss_step=request.loss_step,
            max_pieces=MAX_PIECES,
        )

    @answer.register
    def _(self, request: ActivationsRequest) -> ActivationCurves:  # noqa: ARG002
        return laboratory.activation_curves()

    @answer.register
    def _(self, request: LongRequest) -> Any:  # type: ignore[type-arg]  # a class, for the dispatch
        run = request.run()
        return self._long_texts.answer(request, self._model(run.model), (run, fingerprint(run.model)))

    @answer.register
    def _(self, request: NumberUnitsRequest) -> NumberUnits:
        return number_units.number_units(self._model(request.model))

    @answer.register
    def _(self, request: SpeedRequest) -> tuple[Speed, ...]:
        return speed.speeds([self._model(name) for name in request.models], request.text)

    @answer.register
    def _(self, request: SearchRequest) -> TranslationSearch:
        return translation.search_translation(
            self._any_translator(request.model),
            request.text,
            request.config,
            watch=request.watch,
            max_pieces=MAX_PIECES,
        )

    @answer.register
    def _(self, request: ForcedRequest) -> ForcedTranslation:
        return translation.forced_translation(
            self._any_translator(request.model),
            request.text,
            request.ids or request.target,
            max_pieces=MAX_PIECES,
            heads=request.heads,
        )

    @answer.register
    def _(self, request: NetworkRequest) -> TranslationNetwork:
        return self._network(request)

    @answer.register
    def _(self, request: NetworkSumRequest) -> NetworkSum:
        return translation_sums.network_sum(
            self._translator(request.network.model),
            self._network(request.network),
            request.quantity,
            unit=request.unit,
            step=request.step,
            run=request.run_name,
            layer=request.layer,
            direction=request.direction,
            block=request.block,
        )

    @answer.register
    def _(self, request: NetworkSumsRequest) -> tuple[NetworkSum, ...]:
        return tuple(self.answer(one) for one in request.sums)

    def _network(self, request: NetworkRequest) -> TranslationNetwork:
        key = (request, fingerprint(request.model))
        if key not in self._networks:
            self._networks[key] = translation_network.translation_network(
                self._translator(request.model),
                request.text,
                reference=request.reference,
                beam_size=request.beam_size,
                max_pieces=MAX_NETWORK_PIECES,
            )
        return self._networks[key]

    @answer.register
    def _(self, request: AttentionRequest) -> Any:  # type: ignore[type-arg]  # a class, for the dispatch
        return answer_attention(request, self._translator(request.model))

    def _trace(self, request: TraceRequest) -> RecurrentTrace:
        key = (request, fingerprint(request.model))
        trace = self._traces.get(key)
        if trace is None:
            trace = forward.trace(
                self._model(request.model),
                request.text,
                structure=request.structure,
                generate=request.generate,
                temperature=request.temperature,
                seed=request.seed,
                targets=request.targets,
                max_pieces=MAX_PIECES,
            )
            if num_bytes(trace) <= KEPT_TRACES_BYTES:
                self._traces[key] = trace
        return trace

    def _carried_back(self, request: BackwardRequest) -> gradients.CarriedBack:
        key = (replace(request, weights=False), fingerprint(request.trace.model))
        if key not in self._carried:
            self._carried[key] = gradients.carried_back(
                self._model(request.trace.model),
                request.trace.text,
                loss_step=request.loss_step,
                multiplier=request.multiplier,
                targets=request.trace.targets,
                max_pieces=MAX_PIECES,
            )
        return self._carried[key]

    def _model(self, name: str) -> LoadedModel:
        key = (name, fingerprint(name))
        if key not in self._models:
            self._models[key] = load_model(name)
        return self._models[key]

    def _translator(self, name: str) -> LoadedTranslator:
        if is_own(name):
            raise InvalidInputError("This needs a recurrent model; {name} is a Transformer.", name=name)
        key = (name, fingerprint(name))
        if key not in self._translators:
            self._translators[key] = load_translator(name)
        return self._translators[key]

    def _any_translator(self, name: str) -> AnyTranslator:
        if not is_own(name):
            return self._translator(name)
        key = (name, fingerprint(name))
        if key not in self._own:
            self._own[key] = load_own_model(name)
        return self._own[key]

    def warm_up(self, models: tuple[str, ...]) -> None:
        """Runs the kernels once and loads models; one that cannot be loaded is reported when it is asked for."""
        config = ModelConfig(
            task="language_model", cell="lstm", vocabulary_size=8, embedding_size=8, hidden_size=8, output_size=8
        )
        with torch.inference_mode():
            SequenceModel(config).eval().stack.record(torch.zeros(1, 8, 8))
        for name in models:
            try:
                self.answer(TraceRequest(model=name, text="a"))
            except SeqvizError:
                continue


@cache
def _worker() -> Worker:
    return Worker()


def answer(request: Request[Any]) -> Any:
    """Answers a request with the worker of this process."""
    return _worker().answer(request)


def warm_up(models: tuple[str, ...]) -> None:
    """Prepares the worker of this process for its first request."""
    _worker().warm_up(models)

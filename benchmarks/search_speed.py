"""A beam search with its whole tree, beside the loop of the tutorials, Hugging Face, JoeyNMT and its bare products.

The peers are optional; ``benchmarks/requirements-peers.txt`` says how they are installed. Where one is missing, its row
says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor

from benchmarks import search_peers
from benchmarks.measure import Table, interleaved_medians
from seqviz.config import DecodeConfig, TranslationConfig
from seqviz.decoding import SearchTrace, search
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.loading import LoadedTranslator
from seqviz.models.packed_decoder import PackedDecoder, PackedLinear
from seqviz.text.piece_encoder import EOS_ID
from seqviz.tracing.translator_steps import NOT_TEXT, TranslatorSteps

UNITS, VOCABULARY, SOURCE, BEAM, STEPS = 512, 8000, 20, 10, 30
ROUNDS = 7
THREADS: dict[str, tuple[int, Callable[[], float]]] = {
    "one thread": (1, time.process_time),
    "two threads": (2, time.perf_counter),
}
"""Columns of the table: threads of torch, and the clock. Processor time of two threads would count both."""
FORBIDDEN = (*NOT_TEXT, EOS_ID)  # without <eos> every search goes on to the last step


def make_model(layers: int = 1) -> LoadedTranslator:
    """A model of the benchmark's sizes with random weights."""
    torch.manual_seed(0)
    config = TranslationConfig(
        cell="lstm",
        vocabulary_size=VOCABULARY,
        embedding_size=UNITS,
        encoder_size=UNITS // 2,
        decoder_size=UNITS,
        decoder_layers=layers,
        score="additive",
        attention_size=UNITS,
    )
    model = EncoderDecoder(config).eval().requires_grad_(False)
    model.embedding.weight *= 3  # flat distributions would make every hypothesis a near tie
    names: Any = SimpleNamespace(vocabulary=tuple(f"piece{index}" for index in range(VOCABULARY)))
    return LoadedTranslator(info=cast("Any", None), model=model, encoder=names, decoder=PackedDecoder(model))


def bare_products(model: EncoderDecoder) -> Callable[[], None]:
    """The matrix products of the same steps and nothing else, with the fastest kernel that we know."""
    cells = [model.decoder_cell(layer) for layer in range(model.config.decoder_layers)]
    pairs = [(cell.weight_input, cell.bias_input) for cell in cells]
    pairs += [(cell.weight_hidden, cell.bias_hidden) for cell in cells]
    query = cast("Any", model.score).query.weight
    pairs += [(query, query.new_zeros(len(query))), (model.readout.weight, model.readout.bias)]
    pairs += [(model.embedding.weight, model.output_bias)]
    products = [PackedLinear(*pair) for pair in pairs]
    inputs = {rows: [torch.randn(rows, weight.shape[1]) for weight, _ in pairs] for rows in (1, BEAM)}

    def run() -> None:
        with torch.inference_mode():
            for step in range(STEPS):
                for product, x in zip(products, inputs[BEAM if step else 1], strict=True):
                    product(x)

    return run


def tutorial_loop(model: EncoderDecoder, source: Tensor, *, project: bool) -> Callable[[], list[int]]:
    """Beam search as notebooks write it: hypothesis by hypothesis, lists of tensors, all candidates kept.

    With ``project``, every step projects the source's states anew, as the attention of PyTorch's tutorial does
    ("NLP From Scratch: Translation with a Sequence to Sequence Network and Attention", ``self.Ua(keys)``).
    """
    keys_of = cast("Any", model.score).keys
    with torch.no_grad():
        memory = model.encode(source)

    @torch.no_grad()
    def run() -> list[int]:
        tree = []
        beam = [(0.0, [NOT_TEXT[-1]], memory.first)]
        for _ in range(STEPS):
            candidates = []
            for score, ids, carries in beam:
                seen = replace(memory, keys=keys_of(memory.values)) if project else memory
                step = model.step(seen, carries, torch.tensor([ids[-1]]))
                log_probs = step.log_probs[0]
                log_probs[list(FORBIDDEN)] = -torch.inf
                values, tokens = log_probs.topk(BEAM)
                for value, token in zip(values, tokens, strict=True):
                    candidates.append((score + value.item(), [*ids, token.item()], step.carries))
            tree.append(candidates)
            beam = sorted(candidates, key=lambda candidate: -candidate[0])[:BEAM]
        return beam[0][1][1:]

    return run


def measure() -> Table:
    """The table for docs/benchmarks.md."""
    threads = torch.get_num_threads()
    columns: dict[str, dict[str, float]] = {}
    try:
        for name, (count, clock) in THREADS.items():
            torch.set_num_threads(count)
            variants, missing = _contenders()
            trace: SearchTrace = variants["ours"]()
            _check_same(trace, variants)
            columns[name] = interleaved_medians(variants, rounds=ROUNDS, clock=clock)
    finally:
        torch.set_num_threads(threads)
    return _table(columns, missing, trace)


def _contenders() -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """What is measured, by name, and why the others are not."""
    loaded = make_model()
    source = torch.arange(10, 10 + SOURCE).unsqueeze(0)
    steps = TranslatorSteps(loaded, source[0].tolist())
    config = DecodeConfig(beam_size=BEAM, max_length=STEPS, forbidden=FORBIDDEN, candidates=BEAM)
    memory = steps.memory
    variants: dict[str, Callable[[], Any]] = {
        "bare": bare_products(loaded.model),
        "ours": lambda: search(steps, config),
        "loop": tutorial_loop(loaded.model, source, project=False),
        "tutorial": tutorial_loop(loaded.model, source, project=True),
    }
    missing = {}
    for name, make in (
        ("hugging_face", lambda: search_peers.hugging_face(loaded.model, memory, SIZES)),
        ("joeynmt", lambda: search_peers.joeynmt(SIZES)),
    ):
        try:
            variants[name] = make()
        except ImportError as error:
            missing[name] = f"not measured: {error}"
    return variants, missing


SIZES = search_peers.Sizes(
    units=UNITS, vocabulary=VOCABULARY, source=SOURCE, beam=BEAM, steps=STEPS, forbidden=FORBIDDEN
)


def _check_same(trace: SearchTrace, variants: dict[str, Callable[[], Any]]) -> None:
    """All that search over the same model must find the same sequence."""
    assert trace.best is not None
    best = list(trace.tokens(trace.best))
    assert len(best) == STEPS
    for name in ("loop", "tutorial", "hugging_face"):
        if name in variants:
            found = variants[name]()
            assert found == best, f"{name} found {found}, not {best}"


NAMES = {
    "bare": "the matrix products alone, weights packed",
    "ours": "search, whole tree kept",
    "loop": "loop over the hypotheses, around our step",
    "tutorial": "the same, attention's keys projected at every step, as tutorials do",
    "hugging_face": "Hugging Face generate over the same step, no tree",
    "joeynmt": "JoeyNMT, decoder of the same size, no tree",
}


def _table(columns: dict[str, dict[str, float]], missing: dict[str, str], trace: SearchTrace) -> Table:
    rows = [
        (NAMES[name], *(cell for seconds in columns.values() for cell in _cells(seconds, name)))
        for name in columns["one thread"]
    ]
    rows += [(NAMES[name], why, *[""] * (3 * len(columns) - 1)) for name, why in missing.items()]

    def ratios(name: str, *, beside: str) -> str:
        return ", ".join(f"{seconds[name] / seconds[beside]:.2f} ({threads})" for threads, seconds in columns.items())

    goals = [
        f"Faster than the tutorials (aim: at least 10 times): {ratios('tutorial', beside='ours')}.",
        f"Faster than a loop around our own step: {ratios('loop', beside='ours')}.",
        f"Beside the bare products (aim: at most 2.5 times): {ratios('ours', beside='bare')}.",
    ]
    for name, aim in (("joeynmt", "JoeyNMT (aim: at least 3 times)"), ("hugging_face", "Hugging Face")):
        if name not in missing:
            goals.append(f"Faster than {aim}: {ratios(name, beside='ours')}.")
    return Table(
        title="Search, beside tutorials, Hugging Face and JoeyNMT",
        says=(
            f"A beam of {BEAM} over {STEPS} forced steps: LSTM decoder with {UNITS} units, additive attention over "
            f"{SOURCE} pieces, {VOCABULARY} words, random weights, the source encoded beforehand. Our tree has "
            f"{len(trace)} hypotheses with ranks, margins, attention and hidden states. The loop and Hugging Face "
            "search over the same model and must find the same sequence; JoeyNMT has a decoder of its own with the "
            "same sizes (input feeding off). Medians for each step: processor time of one thread, and the time that "
            "passes with two threads of torch. A second thread speeds up the products of ten rows and hardly those "
            "of one."
        ),
        header=("what", *(head for name in columns for head in (f"a step, {name}", "beside ours", "beside products"))),
        rows=tuple(rows),
        goals=tuple(goals),
    )


def _cells(seconds: dict[str, float], name: str) -> tuple[str, str, str]:
    """Of one row: milliseconds a step, beside ours, beside the bare products."""
    value = seconds[name]
    return f"{1e3 * value / STEPS:.2f} ms", f"{value / seconds['ours']:.2f}", f"{value / seconds['bare']:.2f}"

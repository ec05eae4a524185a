"""What a visitor of the Translate page waits for: a typed sentence with its search tree, over the websocket."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator

from benchmarks.measure import Table
from benchmarks.rerun import CHANGES, PAUSE_SECONDS
from benchmarks.visits import serve, visit
from seqviz.api import search_figure
from seqviz.backends.local import LocalBackend
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.search_tree import SearchTreeOptions
from seqviz.checkpoints import checkpoints_root
from seqviz.config import DecodeConfig
from seqviz.text.piece_encoder import PieceEncoder
from seqviz.translation_searches import DEFAULT_ALPHA, TranslationSearches, greedy_config
from seqviz.translations import TranslationSearch

PAGE, BOX = "translate", ("source", "string_value")
MODEL = "fra-eng-attention"
PIECES = 12
GOAL_MS = 200
CONFIG = DecodeConfig(beam_size=5, max_length=60, alpha=DEFAULT_ALPHA)
WHO = ("Tom", "Marie", "Mon ami", "Ma mère", "Le professeur", "La voisine", "Mon frère", "Sa fille", "Paul", "Anne")
DOES = ("lit", "achète", "cherche", "porte", "regarde", "attend", "vend", "trouve")
WHAT = ("un livre", "une voiture", "la maison", "son chapeau", "un petit chien", "des fleurs rouges")
WHEN = ("ce soir", "demain matin", "tous les jours", "depuis deux heures", "dans le jardin")


def measure() -> Table:
    """Page, searches alone and picture alone take turns on sentences that nobody has asked for."""
    sentences = _sentences()
    seconds: dict[str, list[float]] = {"page": [], "change": [], "searches": [], "tree": []}
    sizes = []
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(serve(environment={"SEQVIZ_WORKERS": "1"})).port
        backend = stack.enter_context(LocalBackend(workers=1, models=(MODEL,)))
        for _ in range(2):  # workers start, models load, modules are imported
            with visit(port, PAGE) as one:
                one.open()
                one.change(*BOX, next(sentences))
            _tree(_searches(backend, next(sentences)))
        one = stack.enter_context(visit(port, PAGE, "budget=0"))
        seconds["page"].append(one.open()[0])
        for _ in range(CHANGES):
            change, size = one.change(*BOX, next(sentences))
            seconds["change"].append(change)
            sizes.append(size)
            started = time.perf_counter()
            found = _searches(backend, next(sentences))
            between = time.perf_counter()
            _tree(found)
            seconds["searches"].append(between - started)
            seconds["tree"].append(time.perf_counter() - between)
            time.sleep(PAUSE_SECONDS)
    medians = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    names = {
        "change": "changed sentence: script run with both searches and the tree",
        "searches": "of it: beam of 5 and greedy, a warm worker asked alone",
        "tree": "of it: the picture of the tree",
    }
    whole = medians["change"]
    return Table(
        title="A typed sentence with its search tree, over the websocket",
        says=(
            f"From the message that asks for a run of the script to the one that says it has finished, the Translate "
            f"page, {MODEL}, French sentences of {PIECES} pieces that were never asked before, B = 5, the whole tree "
            f"kept and drawn; the exact search, which runs beside the page, is left out. All parts take turns, one "
            f"worker each. A change sends {statistics.median(sizes) / 1000:.0f} kB."
        ),
        header=("what", "median", "of the whole"),
        rows=tuple((name, f"{medians[key]:.0f} ms", f"{medians[key] / whole:.0%}") for key, name in names.items()),
        goals=(
            f"A typed sentence of {PIECES} pieces with its tree within {GOAL_MS} ms of server time: {whole:.0f} ms.",
        ),
    )


def _sentences() -> Iterator[str]:
    """Sentences of ``PIECES`` pieces, each once."""
    encoder = PieceEncoder.load(checkpoints_root() / MODEL / "tokenizer.json")
    for who, what, when, does in itertools.product(WHO, WHAT, WHEN, DOES):
        sentence = f"{who} {does} {what} {when}."
        if len(encoder.encode(sentence).ids) == PIECES:
            yield sentence


def _searches(backend: LocalBackend, sentence: str) -> TranslationSearches:
    asked = [
        backend.submit(SearchRequest(model=MODEL, text=sentence, config=config))
        for config in (CONFIG, greedy_config(CONFIG))
    ]
    beam, greedy = (one.result() for one in asked)
    assert isinstance(beam, TranslationSearch)
    return TranslationSearches(shown=beam, greedy=greedy, beam=beam)


def _tree(searches: TranslationSearches) -> None:
    search_figure(searches, options=SearchTreeOptions(alpha=DEFAULT_ALPHA))

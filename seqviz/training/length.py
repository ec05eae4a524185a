"""BLEU of a translation model by the length of the source (syllabus A1)."""

from __future__ import annotations

from pathlib import Path

from seqviz.checkpoints import WEIGHTS
from seqviz.errors import InvalidInputError
from seqviz.length_bleu import EDGES, LengthBin, LengthBleu
from seqviz.metrics.bootstrap_bleu import bleu_interval, sentence_counts
from seqviz.metrics.corpus_bleu import corpus_bleu
from seqviz.models.loading import LoadedTranslator
from seqviz.training.parallel import by_source
from seqviz.training.preparation import pairs_of
from seqviz.training.translate import translate


def measure_by_length(
    loaded: LoadedTranslator,
    path: Path,
    *,
    beam_size: int = 5,
    resamples: int = 1000,
    seed: int = 1,
    limit: int | None = None,
) -> LengthBleu:
    """Translates the sources of a file and measures each bin of lengths against all of its references.

    Args:
        loaded: the model.
        path: a file of pairs in the columns of the model's recipe.
        beam_size: 1 for greedy search.
        resamples, seed: of the bootstrap.
        limit: only so many sources, from the beginning; None for all.
    """
    references = by_source(pairs_of(loaded.info.details["data"], path))
    sources = list(references)[:limit]
    if not sources:
        raise InvalidInputError("{path} has no sentence pairs.", path=path)
    ids = loaded.encoder.encode_all(sources)
    lengths = [len(loaded.encoder.word_groups(row)) for row in ids]
    found = [loaded.encoder.decode(row) for row in translate(loaded.model, ids, beam_size=beam_size)]
    known = [references[source] for source in sources]
    counts = sentence_counts(found, known)
    bins = []
    for first, after in zip(EDGES, (*EDGES[1:], None), strict=True):
        rows = [i for i, n in enumerate(lengths) if first <= n and (after is None or n < after)]
        if not rows:
            continue
        measured = bleu_interval(counts[rows], resamples=resamples, seed=seed)
        bins.append(
            LengthBin(
                first=first,
                last=None if after is None else after - 1,
                mean=sum(lengths[i] for i in rows) / len(rows),
                sources=len(rows),
                bleu=measured.score,
                low_bleu=measured.low,
                high_bleu=measured.high,
            )
        )
    return LengthBleu(
        model=loaded.info.name,
        data=f"{path.parent.name}/{path.name}",
        beam_size=beam_size,
        resamples=resamples,
        seed=seed,
        signature=corpus_bleu(found[:1], known).signature,
        weights=loaded.info.sha256[WEIGHTS],
        bins=tuple(bins),
    )

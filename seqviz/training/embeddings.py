"""Word vectors counted from plain text: positive pointwise mutual information, then a truncated SVD.

Source: Levy and Goldberg, "Neural Word Embedding as Implicit Matrix Factorization" (2014), sections 4 and 5; the 3/4
power of the context counts and the square root of the singular values are those of Levy, Goldberg and Dagan (2015).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

CONTEXT_POWER = 0.75


def cooccurrence_vectors(
    texts: Sequence[Sequence[int]], *, vocabulary_size: int, size: int, window: int, scale: float, seed: int
) -> Tensor:
    """Vectors (vocabulary, size) of words that stand in like contexts.

    Args:
        texts: word ids; id 0 (unknown) is no word and no context, and keeps a zero vector.
        vocabulary_size: number of words.
        size: components of a vector.
        window: words to each side; a word at distance d counts 1/d.
        scale: standard deviation of all components.
        seed: of the randomised SVD (Halko et al. 2011).
    """
    ppmi = positive_mutual_information(_counts(texts, vocabulary_size, window))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        left, singular, _ = torch.svd_lowrank(ppmi, q=min(size + 32, vocabulary_size), niter=4)
    vectors = left[:, :size] * singular[:size].sqrt()
    vectors[0] = 0.0
    return vectors * (scale / vectors.std())


def positive_mutual_information(counts: Tensor) -> Tensor:
    """max(0, log p(a, b) / (p(a) p'(b))) of a sparse table of counts (word, context), p' with the 3/4 power."""
    counts = counts.coalesce()
    (words, contexts), n = counts.indices(), counts.values()
    p_word = torch.zeros(counts.shape[0], dtype=n.dtype).index_add_(0, words, n) / n.sum()
    p_context = torch.zeros(counts.shape[1], dtype=n.dtype).index_add_(0, contexts, n) ** CONTEXT_POWER
    p_context /= p_context.sum()
    information = (n / n.sum() / (p_word[words] * p_context[contexts])).log()
    kept = information > 0
    return torch.sparse_coo_tensor(
        counts.indices()[:, kept], information[kept].float(), counts.shape, is_coalesced=True, check_invariants=False
    )


def _counts(texts: Sequence[Sequence[int]], vocabulary_size: int, window: int) -> Tensor:
    # One long row; unknown words between the texts keep them apart.
    gap = [0] * window
    ids = torch.tensor([index for text in texts for index in (*text, *gap)])
    total = torch.sparse_coo_tensor(
        torch.zeros(2, 0, dtype=torch.long),
        torch.zeros(0, dtype=torch.float64),
        (vocabulary_size, vocabulary_size),
        check_invariants=False,
    )
    for distance in range(1, window + 1):
        pairs = torch.stack([ids[:-distance], ids[distance:]])
        pairs = pairs[:, (pairs > 0).all(0)]
        weights = torch.full((pairs.shape[1],), 1.0 / distance, dtype=torch.float64)
        forward = torch.sparse_coo_tensor(pairs, weights, total.shape, check_invariants=False)
        total = (total + forward + forward.t()).coalesce()
    return total

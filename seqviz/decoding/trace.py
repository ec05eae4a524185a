"""What a search did: frozen numpy columns, one row a hypothesis. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqviz.config import DecodeConfig
from seqviz.decoding.scores import beam_cost, exhaustive_cost
from seqviz.traces import freeze
from seqviz.types import FloatArray, IntArray

FATES: tuple[str, ...] = ("dropped", "open", "expanded", "finished")
"""What became of a hypothesis: left out; kept, but the search stopped before it; extended; complete."""

REASONS: tuple[str, ...] = (
    "", "beam", "bound", "budget", "choice", "draw", "prefix", "forbidden", "min_length", "stopped",
)  # fmt: skip
"""Why a hypothesis was left.

``"beam"``: it is not among the B best. ``"bound"``: nothing that begins so can win. ``"budget"``: the budget of
expansions was spent. ``"choice"``: greedy takes the most probable. ``"draw"``: it was not drawn. ``"prefix"``: another
beginning is forced. ``"forbidden"``, ``"min_length"``: not allowed here. ``"stopped"``: enough hypotheses are finished.
"""

DROPPED, OPEN, EXPANDED, FINISHED = range(4)
ROOT = 0
NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrace:
    """Everything that a search looked at.

    Row 0 of the columns is the empty hypothesis; each other row adds one token to its parent. A step is the number of
    tokens so far, so the first token stands at step 1.

    Args:
        config: how it was searched.
        vocabulary_size: n.
        eos_id: id of <eos>.
        names: of all token ids that occur here.
        parent: row of the parent, -1 for the root, (hypothesis,).
        token: id of the last token, -1 for the root, (hypothesis,).
        step: number of tokens, (hypothesis,).
        token_log_prob: log P(last token | the rest) in nats, (hypothesis,).
        log_prob: Σ log p in nats, (hypothesis,).
        coverage: the coverage penalty without its β, (hypothesis,); nan where there is no attention.
        score: (1/L^α) Σ log p + β coverage; what the search ranks by at the end, (hypothesis,).
        rank: place among all candidates of its step (of its group), 0 is the best; -1 where nothing was ranked.
        margin: what was missing to the last survivor, in nats of what the cut compares; nan if it was not cut.
        fate: index into ``FATES``, (hypothesis,).
        reason: index into ``REASONS``, (hypothesis,).
        group: of a diverse beam search, 0 for the others, (hypothesis,).
        count: how many samples passed through here (sampling), else 1, (hypothesis,).
        expansion: row of the arrays below that belongs to this hypothesis; -1 if it was not expanded, (hypothesis,).
        candidate_tokens: the most probable next tokens of each expanded hypothesis, (expansion, candidate).
        candidate_log_probs: their log P(token | prefix), (expansion, candidate).
        attention: attention weights with which the next token was predicted, (expansion, source); None if none.
        hidden_state: the decoder's state then, (expansion, unit); None if none.
        finished: rows of the complete hypotheses, best score first.
        expansions: hypotheses whose next tokens were computed.
        model_calls: calls of the step function; one call computes a whole batch.
        candidates_scored: extensions that were compared: n for each expansion.
        proven: whether ``finished[0]`` is certainly the best of all sequences.
        upper_bound: no sequence scores higher than this; inf where nothing was proven.
        seconds: what the search took.
    """

    config: DecodeConfig
    vocabulary_size: int
    eos_id: int
    names: dict[int, str]
    parent: IntArray
    token: IntArray
    step: IntArray
    token_log_prob: FloatArray
    log_prob: FloatArray
    coverage: FloatArray
    score: FloatArray
    rank: IntArray
    margin: FloatArray
    fate: IntArray
    reason: IntArray
    group: IntArray
    count: IntArray
    expansion: IntArray
    candidate_tokens: IntArray
    candidate_log_probs: FloatArray
    attention: FloatArray | None
    hidden_state: FloatArray | None
    finished: tuple[int, ...]
    expansions: int
    model_calls: int
    candidates_scored: int
    proven: bool
    upper_bound: float
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def best(self) -> int | None:
        """Row of the winner; None if no hypothesis was completed."""
        return self.finished[0] if self.finished else None

    @property
    def steps(self) -> int:
        """Tokens of the longest hypothesis."""
        return int(self.step.max())

    @property
    def exhaustive_cost(self) -> int:
        """n^T, for comparison with ``candidates_scored``."""
        return exhaustive_cost(self.vocabulary_size, self.config.max_length)

    @property
    def beam_cost(self) -> int:
        """k·n·T, for comparison with ``candidates_scored``."""
        return beam_cost(self.config.beam_size, self.vocabulary_size, self.config.max_length)

    def path(self, hypothesis: int) -> list[int]:
        """The rows from the first token to this hypothesis; the root is left out."""
        rows: list[int] = []
        while hypothesis != ROOT:
            rows.append(hypothesis)
            hypothesis = int(self.parent[hypothesis])
        return rows[::-1]

    def tokens(self, hypothesis: int) -> tuple[int, ...]:
        """The token ids of a hypothesis."""
        return tuple(int(self.token[row]) for row in self.path(hypothesis))

    def text(self, hypothesis: int, separator: str = " ") -> str:
        """The tokens of a hypothesis as they are shown."""
        return separator.join(self.names[token] for token in self.tokens(hypothesis))

    def ended(self, hypothesis: int) -> bool:
        """Whether a hypothesis ends with <eos>; a finished one that does not was cut at the greatest length."""
        return int(self.token[hypothesis]) == self.eos_id

    def fate_name(self, hypothesis: int) -> str:
        """One of ``FATES``."""
        return FATES[int(self.fate[hypothesis])]

    def reason_name(self, hypothesis: int) -> str:
        """One of ``REASONS``."""
        return REASONS[int(self.reason[hypothesis])]

    def children(self) -> list[list[int]]:
        """The rows below each hypothesis, in the order of their recording."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for row, parent in enumerate(self.parent.tolist()):
            if parent != NONE:
                found[parent].append(row)
        return found

    def find(self, tokens: Sequence[int]) -> int | None:
        """The row of a sequence of token ids; None if the search did not record it."""
        children, row = self.children(), ROOT
        for token in tokens:
            below = [child for child in children[row] if int(self.token[child]) == token]
            if not below:
                return None
            row = below[0]
        return row

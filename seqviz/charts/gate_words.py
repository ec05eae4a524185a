"""Which gate value keeps and where the reset gate acts: the conventions in use, always in both notations."""

from __future__ import annotations

from seqviz.i18n import Translator


def convention_lines(cell: str, t: Translator) -> tuple[str, ...]:
    """The conventions of a cell, one sentence each.

    Args:
        cell: one of ``seqviz.config.CELL_NAMES``.
        t: the reader's language.
    """
    if cell.startswith("rnn_"):
        return (t("A plain cell has no gate: the whole state is written anew at every step."),)
    if cell.startswith("lstm"):
        lines = [
            t(
                "Forget gate (Γ_f in Ng's notation, F in d2l's): 1 keeps the old cell state, 0 forgets it. Input gate "
                "(Γ_u, I): 1 writes the candidate."
            )
        ]
        if cell == "lstm_linear_output":
            lines.append(t("The output gate acts on the cell state itself: a = Γ_o c, without a tanh."))
        if cell == "lstm_peephole":
            lines.append(t("Dotted: peepholes. Input and forget gate see the old cell state, the output gate the new."))
        return tuple(lines)
    lines = [
        t(
            "Update gate: d2l's and PyTorch's Z keeps (1 keeps the old state), Ng's Γ_u writes (1 takes the "
            "candidate): Γ_u = 1 − Z."
        )
    ]
    if cell == "gru":
        lines.append(
            t(
                "Reset gate (Γ_r, R): here after the recurrent product, R · (W h + b), as in torch.nn.GRU; in Ng's and "
                "d2l's equations before it, W (R · h)."
            )
        )
    elif cell == "gru_reset_before":
        lines.append(
            t(
                "Reset gate (Γ_r, R): here before the recurrent product, W (R · h), as in Ng's and d2l's equations; "
                "torch.nn.GRU applies it after."
            )
        )
    else:
        lines.append(t("Simplified: there is no reset gate (Γ_r, R), the candidate always sees the whole old state."))
    return tuple(lines)

"""What a reader sets in a search tree itself, α and the forced beginning, and numbers in the URL."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from seqviz.decoding.scores import MAX_ALPHA

MAX_TRIES = 12
_MAX_UNDO = 50

ValueT = TypeVar("ValueT")


def linked(name: str, key: str, read: Callable[[str], ValueT | None], default: ValueT) -> ValueT:
    """The session's value, or that of a link that was just opened; an unreadable one is the default.

    Args:
        name: of the query parameter.
        key: of the session's value, also of a widget that is drawn afterwards.
        read: the value of a text; None for none.
        default: where neither says anything.
    """
    state, text = st.session_state, st.query_params.get(name)
    if text != state.get(f"{key}-written") or key not in state:
        state[f"{key}-written"] = text
        found = None if text is None else read(text)
        if found is not None:
            state[key] = found
        elif text is not None or key not in state:
            state[key] = default
    value: ValueT = state[key]
    # Set once more, so that it is sent even if the browser never saw the run before.
    state[key] = value
    return value


def write(name: str, key: str, text: str | None) -> None:
    """Keeps the URL true to a value; None leaves it out."""
    st.session_state[f"{key}-written"] = text
    if st.query_params.get(name) != text:
        if text is None:
            del st.query_params[name]
        else:
            st.query_params[name] = text


def whole_number(text: str) -> int | None:
    """A number of at most six digits."""
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


def number_from_url(name: str, key: str, low: int, high: int, default: int) -> None:
    """Brings the value of a number input in line with the URL and its bounds, before it is drawn."""
    value = linked(name, key, whole_number, default)
    st.session_state[key] = min(max(int(value), low), high)


def lengths_from_url(name: str, key: str, low: int, high: int, most: int) -> tuple[int, int]:
    """The same for a slider with two ends, written ``2-30``."""

    def read(text: str) -> tuple[int, int] | None:
        match = re.fullmatch(r"(\d{1,3})-(\d{1,3})", text)
        return (int(match[1]), int(match[2])) if match else None

    first, last = (min(value, most) for value in linked(name, key, read, (low, high)))
    st.session_state[key] = (min(first, last), max(first, last))
    return (first, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeState:
    """α, the forced beginning with its undo, and the tries of one page; session values, the first two in the URL too.

    Args:
        picture: key of the tree's element.
        mark: begins the keys of the session, so that each page has its own.
        alpha: where nobody has moved it.
    """

    picture: str
    mark: str = ""
    alpha: float = 0.0

    def alpha_from_url(self) -> float:
        """α of the session, or of a link that was opened."""
        key = f"{self.mark}alpha"
        if "alpha" not in st.query_params and st.session_state.get(f"{key}-written") is not None:
            st.session_state[key] = self.alpha
        alpha = linked("alpha", key, _a_float, self.alpha)
        if not 0 <= alpha <= MAX_ALPHA:
            alpha = min(max(alpha, 0.0), MAX_ALPHA) if not math.isnan(alpha) else self.alpha
        st.session_state[key] = alpha
        write("alpha", key, None if alpha == self.alpha else f"{alpha:g}")
        return alpha

    def alpha_moved(self) -> None:
        """The reader dragged α in the picture; a browser may send anything."""
        try:
            alpha = float(st.session_state[self.picture].alpha)
        except (TypeError, ValueError, AttributeError, KeyError):
            return
        if 0 <= alpha <= MAX_ALPHA:
            st.session_state[f"{self.mark}alpha"] = round(alpha, 4)

    def prefix_from_url(
        self, read: Callable[[str], tuple[int, ...] | None], allowed: Callable[[tuple[int, ...]], bool]
    ) -> tuple[int, ...]:
        """The forced beginning; the empty one where what is there is not allowed.

        Args:
            read: token ids of a text; None for none.
            allowed: whether they can be forced here.
        """
        key = f"{self.mark}prefix"
        if "prefix" not in st.query_params and st.session_state.get(f"{key}-written") is not None:
            st.session_state[key] = ()
        none: tuple[int, ...] = ()
        prefix = linked("prefix", key, read, none)
        if not allowed(prefix):
            prefix = ()
        st.session_state[key] = prefix
        return prefix

    def write_prefix(self, text: str) -> None:
        """Keeps the URL true to the beginning; the empty text leaves it out."""
        write("prefix", f"{self.mark}prefix", text or None)

    def prefix_clicked(self, most: int) -> None:
        """A hypothesis was clicked: its tokens, at most so many, are the beginning from now on."""
        try:
            prefix = tuple(int(token) for token in st.session_state[self.picture].prefix)
        except (TypeError, ValueError, AttributeError, KeyError):
            return
        if len(prefix) <= most:
            self.force(prefix)

    def force(self, prefix: Sequence[int]) -> None:
        """These tokens are the beginning from now on; undo leads back."""
        state, key = st.session_state, f"{self.mark}prefix"
        before = state.get(key, ())
        if tuple(prefix) != before:
            steps = [*self._undo(), before]
            state[f"{self.mark}undo"] = steps[-_MAX_UNDO:]
            state[key] = tuple(prefix)

    def undo(self) -> None:
        """Back to the beginning before the last click."""
        steps = list(self._undo())
        st.session_state[f"{self.mark}prefix"] = steps.pop() if steps else ()
        st.session_state[f"{self.mark}undo"] = steps

    @property
    def can_undo(self) -> bool:
        """Whether there is a beginning to go back to."""
        return bool(self._undo())

    def tries(self, entry: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Notes what a beginning led to; all that is noted, the last ``MAX_TRIES``."""
        found: list[tuple[Any, ...]] = st.session_state.setdefault(f"{self.mark}tries", [])
        if entry not in found:
            found.append(entry)
            del found[:-MAX_TRIES]
        return found

    def forget(self) -> None:
        """Drops the beginning and all that was tried: they belong to a sentence and a model that are gone."""
        for name in ("prefix", "undo", "tries"):
            st.session_state.pop(f"{self.mark}{name}", None)
        write("prefix", f"{self.mark}prefix", None)

    def _undo(self) -> list[tuple[int, ...]]:
        steps: list[tuple[int, ...]] = st.session_state.get(f"{self.mark}undo", [])
        return steps


def _a_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

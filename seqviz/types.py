"""The axis glossary and the array aliases, defined once and used everywhere.

Axes
    batch      independent sequences computed side by side
    step       position in time; with a bidirectional layer always in the order of the text
    layer      recurrent layer, 0 is the one that reads the embeddings
    direction  ``"forward"`` or ``"backward"``
    gate       block of a cell's weights (see each cell's ``block_names``)
    unit       component of a hidden or cell state
    embedding  component of an input vector
    label      output class, tag or vocabulary entry
    source, target, beam   as usual in translation
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

Direction = Literal["forward", "backward"]
Task = Literal["language_model", "classification", "tagging"]

TASKS: tuple[Task, ...] = ("language_model", "classification", "tagging")

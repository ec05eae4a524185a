"""The Unroll page's picture and what belongs to the moment in focus."""

from __future__ import annotations

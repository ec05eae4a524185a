"""The model card of a checkpoint, written from what was measured."""

from __future__ import annotations

from typing import Any

FIGURE_NAMES = {
    "nats_per_token": "cross-entropy, nats per token",
    "perplexity": "perplexity",
    "accuracy": "accuracy, %",
    "f1": "entity-level F1, %",
    "tag_accuracy": "right tags, %",
    "tokens": "predicted tokens",
    "bleu": "BLEU, beam 5, length-normalised",
    "bleu_greedy": "BLEU, greedy",
    "sources": "different source sentences",
}


def model_card(name: str, description: dict[str, Any], card: dict[str, Any]) -> str:
    """Markdown: data, licence, command, seed, time, measured and published figures, known weaknesses."""
    details, config = description["details"], description["model"]
    first = f"**{card['restriction']}**\n\n" if description["restricted"] else ""
    figures = "\n".join(f"| {_figure_name(key)} | {_figure(value)} |" for key, value in description["figures"].items())
    settings = ", ".join(f"{key} {value}" for key, value in config.items() if key != "task")
    train = ", ".join(f"{key} {value}" for key, value in details["train"].items())
    return f"""{first}# {description["title"]}

Checkpoint `{name}` of seqviz, family *{description["family"]}*: {card["summary"]}

## Measured

On the held-out split `{details["data"]["valid"]}`, with `seqviz evaluate {name} --data FILE`:

| figure | value |
|---|---|
{figures}

The same split chose the best evaluation of the run and the settings of the recipe; expect a little less on fresh text.

## To be read against

{_bullets(card["published"])}

## Model

{details["num_parameters"]:,} parameters: {settings}.{_base(description)}

## Data

{_bullets(card["data_notes"])}

Licence: {card["licence"]}. {card.get("attribution", "")}

## Training

`{details["command"]}`, seed {details["seed"]}, {_duration(details["training_seconds"])} on {details["hardware"]}, \
torch {details["versions"]["torch"]}.

{train}.

## Known weaknesses

{_bullets(card["weaknesses"])}
"""


def _base(description: dict[str, Any]) -> str:
    if "base" not in description:
        return ""
    details, base = description["details"], description["base"]["name"]
    trained = ", ".join(f"`{prefix}*`" for prefix in details["start"]["train"])
    return (
        f"\n\nFine-tuned from `{base}`: {details['trained_parameters']:,} parameters are trained and stored here "
        f"({trained}); all others, and the pieces, are those of `{base}` and are read from it."
    )


def _figure_name(key: str) -> str:
    if key.startswith("f1_"):
        return f"F1 of {key.removeprefix('f1_')}, %"
    if key not in FIGURE_NAMES and key.startswith("bleu"):
        kind = "bleu_greedy" if key.startswith("bleu_greedy") else "bleu"
        return f"{FIGURE_NAMES[kind]}, on {key.removeprefix(f'{kind}_')}"
    return FIGURE_NAMES.get(key, key)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value.is_integer() else f"{value:.4g}"


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)

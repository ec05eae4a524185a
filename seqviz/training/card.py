"""The model card of a checkpoint, written from what was measured."""

from __future__ import annotations

from typing import Any

FIGURE_NAMES = {
    "nats_per_token": "cross-entropy, nats per token",
    "perplexity": "perplexity",
    "accuracy": "accuracy, %",
    "f1": "entity-level F1, %",
    "tag_accuracy": "right tags, %",
}


def model_card(name: str, description: dict[str, Any], card: dict[str, Any]) -> str:
    """Markdown: data, licence, command, seed, time, measured and published figures, known weaknesses."""
    details, config = description["details"], description["model"]
    first = f"**{card['restriction']}**\n\n" if description["restricted"] else ""
    figures = "\n".join(
        f"| {FIGURE_NAMES.get(key, key.replace('f1_', 'F1 of ') + (', %' if key.startswith('f1_') else ''))} "
        f"| {value:.4g} |"
        for key, value in description["figures"].items()
    )
    settings = ", ".join(f"{key} {value}" for key, value in config.items() if key != "task")
    train = ", ".join(f"{key} {value}" for key, value in details["train"].items())
    minutes = details["training_seconds"] / 60
    return f"""{first}# {description["title"]}

Checkpoint `{name}` of seqviz, family *{description["family"]}*: {card["summary"]}

## Measured

On the held-out split `{details["data"]["valid"]}`, with `seqviz evaluate {name} --data FILE`:

| figure | value |
|---|---|
{figures}

## To be read against

{_bullets(card["published"])}

## Model

{details["num_parameters"]:,} parameters: {settings}.

## Data

{_bullets(card["data_notes"])}

Licence: {card["licence"]}. {card.get("attribution", "")}

## Training

`{details["command"]}`, seed {details["seed"]}, {minutes:.0f} minutes on {details["hardware"]}, \
torch {details["versions"]["torch"]}.

{train}.

## Known weaknesses

{_bullets(card["weaknesses"])}
"""


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)

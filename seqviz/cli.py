"""The command ``seqviz``: its subcommands, from ``models`` to ``export``."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from seqviz import __version__
from seqviz.errors import InvalidInputError, SeqvizError, unknown_name
from seqviz.files import check_writable, reason_of, write_file, writing
from seqviz.i18n import LANGUAGES
from seqviz.picture_names import PICTURES, pictures_help, unknown_view
from seqviz.traces import STRUCTURES, Structure

app = typer.Typer(help="See a recurrent model think.", no_args_is_help=True, add_completion=False)

Name = Annotated[
    str, typer.Argument(help="Name of a checkpoint (see `seqviz models`); for translation, also a folder.")
]
StructureOption = Annotated[
    str | None,
    typer.Option("--structure", help="many_to_many, many_to_one, one_to_many or one_to_one; default: the task's own."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")]


class TraceFormat(StrEnum):
    """Formats of ``seqviz trace``."""

    JSON = "json"
    CSV = "csv"


class Theme(StrEnum):
    """Colours of an exported picture."""

    LIGHT = "light"
    DARK = "dark"


class Size(StrEnum):
    """Sizes of the letters, as on the pages."""

    NORMAL = "normal"
    PRESENTER = "presenter"


class Notation(StrEnum):
    """Notations, as on the pages."""

    NG = "ng"
    D2L = "d2l"


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turns an error that seqviz raises on purpose, or the system's word on a file, into one line and exit status 2."""
    try:
        yield
    except BrokenPipeError:  # whoever reads the output has heard enough
        raise
    except (SeqvizError, OSError) as error:
        says = str(error)
        if isinstance(error, OSError):
            says = f"{error.filename or 'The standard output cannot be written'}: {reason_of(error)}."
        Console(stderr=True, soft_wrap=True).print(f"seqviz: {says}", style="bold", markup=False, highlight=False)
        raise typer.Exit(2) from error


@app.callback(invoke_without_command=True)
def main_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """See a recurrent model think."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the checkpoints with their measured quality."""
    from dataclasses import asdict

    from seqviz.checkpoints import checkpoints_root, list_all
    from seqviz.own_models import list_own

    found, broken = list_all()
    own, refused = list_own()
    if as_json:
        rows = [
            {"name": i.name, "title": i.title, "family": i.family, "figures": i.figures, "model": asdict(i.config)}
            for i in (*found, *own)
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        table = Table("name", "task", "cell", "parameters", "figure", box=None, pad_edge=False)
        for info in found:
            figure = str(info.details.get("figure", ""))
            measured = f"{figure} {info.figures[figure]:.4g}" if figure in info.figures else ""
            table.add_row(info.name, info.config.task, info.config.cell, f"{info.num_parameters:,}", measured)
        for mine in own:
            table.add_row(mine.name, mine.config.task, mine.config.model_type, f"{mine.num_parameters:,}", "")
        Console().print(table)
    said = [str(error) for error in (*broken.values(), *refused.values())]
    if not found and not own:
        said.append(f"There is no checkpoint in {checkpoints_root()} that can be used.")
    for sentence in said:
        Console(stderr=True, soft_wrap=True).print(f"seqviz: {sentence}", markup=False, highlight=False)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, or a path that ends in .toml.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the corpora; default: $SEQVIZ_DATA, else data/.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the resumable state.")] = Path("runs"),
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoints; default: checkpoints/.")] = None,
    change: Annotated[list[str] | None, typer.Option("--set", help="Change a setting: train.seed=2.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of torch.", min=1, max=256)] = 2,
    hardware: Annotated[str, typer.Option(help="The machine, in words, for the card.")] = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of resuming.")] = False,
) -> None:
    """Train a recipe to a checkpoint; a killed run goes on where it was when the command is given again."""
    import torch

    from seqviz.checkpoints import checkpoints_root
    from seqviz.training.recipe import RecipeRun, data_root, load_recipe
    from seqviz.training.trainer import STATE_FILE

    with _plain_errors():
        loaded = load_recipe(recipe, changes=change or ())
        torch.set_num_threads(threads)
        folder = runs / loaded.name
        for place in (folder, output or checkpoints_root()):
            check_writable(place)  # not after an hour
        if fresh:
            with writing(folder / STATE_FILE):
                (folder / STATE_FILE).unlink(missing_ok=True)
        run = RecipeRun(loaded, data=data or data_root(), folder=folder)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task(loaded.name, total=None)
            for step in run.steps():
                progress.update(
                    bar,
                    completed=step.step,
                    total=step.total_steps,
                    description=f"{loaded.name}  loss {step.loss:.3f}  |g| {step.grad_norm:.2f}",
                )
                if step.figures:
                    figures = "  ".join(f"{name} {value:.4g}" for name, value in step.figures.items())
                    best = "  best so far" if step.is_best else ""
                    progress.console.print(f"epoch {step.epoch + 1}, step {step.step}: {figures}{best}")
        command = shlex.join(["seqviz", "train", recipe, *(part for c in change or () for part in ("--set", c))])
        machine = hardware or f"{threads} thread{'s' * (threads > 1)} of a {platform.machine()} CPU"
        typer.echo(run.write(root=output, command=command, hardware=machine))


@app.command()
def evaluate(
    name: Name,
    data: Annotated[Path, typer.Option(help="A file of the task's format (see docs/training.md).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the task's standard figures of a checkpoint on a file."""
    from seqviz.api import load
    from seqviz.checkpoints import TranslatorInfo, read_any
    from seqviz.models.loading import load_translator
    from seqviz.training.evaluation import evaluate_file, evaluate_translator

    signature = ""
    with _plain_errors():
        if isinstance(read_any(name), TranslatorInfo):
            figures, signature = evaluate_translator(load_translator(name), data)
        else:
            figures = evaluate_file(load(name), data)
    if as_json:
        typer.echo(json.dumps({**figures, **({"sacrebleu": signature} if signature else {})}, indent=2))
    else:
        for figure, value in figures.items():
            typer.echo(f"{figure} {value:.6g}")
        if signature:
            typer.echo(f"sacrebleu {signature}")


@app.command()
def translate(
    name: Name,
    text: Annotated[str, typer.Argument(help="The sentence; - reads standard input, a sentence a line.")],
    beam: Annotated[int, typer.Option(help="Hypotheses that are kept; 1 is greedy search.", min=1, max=100)] = 5,
) -> None:
    """Translate sentences with a translation checkpoint, or with a model of the Hugging Face family from a folder."""
    from seqviz.api import translator
    from seqviz.models.huggingface import LoadedOwnModel
    from seqviz.tracing.translation import own_translations
    from seqviz.training.sentences import translations

    with _plain_errors():
        lines = [line for line in _read(text).splitlines() if line.strip()] or [""]
        loaded = translator(name)
        if isinstance(loaded, LoadedOwnModel):
            found = own_translations(loaded, lines, beam_size=beam)
        else:
            found = translations(loaded, lines, beam_size=beam)
        for translation in found:
            typer.echo(translation)


@app.command("bleu-by-length")
def bleu_by_length(
    name: Name,
    data: Annotated[Path, typer.Option(help="A file of sentence pairs, as for `seqviz evaluate`.")],
    beam: Annotated[int, typer.Option(help="Hypotheses that are kept; 1 is greedy search.", min=1, max=100)] = 5,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap.", min=10, max=100_000)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0)] = 1,
    limit: Annotated[int | None, typer.Option(help="Only the first sources of the file.", min=1)] = None,
) -> None:
    """Measure BLEU by the length of the source, with confidence intervals, into the checkpoint's folder."""
    from seqviz.length_bleu import write_length_bleu
    from seqviz.models.loading import load_translator
    from seqviz.training.length import measure_by_length

    with _plain_errors():
        found = measure_by_length(
            load_translator(name), data, beam_size=beam, resamples=resamples, seed=seed, limit=limit
        )
        table = Table("words", "sources", "BLEU", "95 %", box=None, pad_edge=False)
        for one in found.bins:
            table.add_row(one.label, str(one.sources), f"{one.bleu:.1f}", f"{one.low_bleu:.1f} to {one.high_bleu:.1f}")
        Console().print(table)
        typer.echo(write_length_bleu(found))


@app.command()
def evenness(
    name: Name,
    data: Annotated[Path, typer.Option(help="A file of sentence pairs, as for `seqviz evaluate`.")],
    tau: Annotated[float, typer.Option(help="What a source piece should receive in all.", min=0.01)] = 1.0,
) -> None:
    """Print how evenly a translation model attends: the regulariser's mean, and pieces hardly or too often attended."""
    from seqviz.models.loading import load_translator
    from seqviz.training.evenness import measure_evenness

    with _plain_errors():
        found = measure_evenness(load_translator(name), data, tau=tau)
        typer.echo(f"regulariser, mean over {found.pairs} pairs of 1/S Σ (τ - Σ α)²: {found.penalty:.4f}")
        typer.echo(f"source pieces hardly attended: {100 * found.never:.2f} %, too often: {100 * found.often:.2f} %")
        typer.echo(f"entropy of a row: {found.entropy:.3f} bits")


@app.command("alignment-error")
def alignment_error(name: Name) -> None:
    """Print the alignment error rate of a model's attention, and of two other readings, on links drawn by hand."""
    from seqviz.alignments import aligned_name, aligned_pairs
    from seqviz.analysis.attention import alignment_scores
    from seqviz.backends.requests import MAX_PIECES
    from seqviz.models.loading import load_translator
    from seqviz.tracing.attention_readings import readings

    with _plain_errors():
        loaded = load_translator(name)
        pairs = aligned_pairs(aligned_name(loaded.info.family))
        if not pairs:
            raise InvalidInputError("No pairs of the languages of {name} have been aligned by hand.", name=name)
        scores = alignment_scores(
            pairs, [readings(loaded, pair.text, pair.translation, max_pieces=MAX_PIECES) for pair in pairs]
        )
        for reading, rate in scores.error_rates.items():
            typer.echo(f"{reading}: {100 * rate:.1f} %")
        typer.echo(f"diagonal: {100 * scores.baseline:.1f} %")
        typer.echo(f"{scores.pairs} pairs, {scores.words} target words")


@app.command()
def card(name: Name) -> None:
    """Write a checkpoint's card anew, from its measured figures, the words of its recipe and its judged sentences."""
    from seqviz.training.sentences import rewrite_card

    with _plain_errors():
        typer.echo(rewrite_card(name))


@app.command()
def trace(
    name: Name,
    text: Annotated[str, typer.Argument(help="The text; - reads standard input.")],
    structure: StructureOption = None,
    output: Output = None,
    as_format: Annotated[TraceFormat, typer.Option("--format", help="json or csv.")] = TraceFormat.JSON,
) -> None:
    """Run a checkpoint on a text and print every number: states, gates, pre-activations, outputs."""
    from seqviz import api
    from seqviz.export import trace_csv, trace_json

    with _plain_errors():
        result = api.trace(name, _read(text), structure=_structure(structure))
        _write(trace_json(result) if as_format is TraceFormat.JSON else trace_csv(result), output)


@app.command(
    epilog="Views, by page of the app, each with what it takes beside NAME:\n\n"
    + pictures_help(min(shutil.get_terminal_size().columns, 110) - 4)
)
def export(
    name: Annotated[str, typer.Argument(help="Name of a checkpoint; some views take something else, see below.")],
    text: Annotated[str, typer.Argument(help="The text, where the view needs one; - reads standard input.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file that ends in .html, .svg or .png.")
    ] = None,
    structure: StructureOption = None,
    view: Annotated[str, typer.Option(help="What is drawn; see below.")] = "unroll",
    layer: Annotated[int | None, typer.Option(help="Counted from 1.", min=1)] = None,
    unit: Annotated[int | None, typer.Option(help="Counted from 0, as on the page.", min=0)] = None,
    step: Annotated[int | None, typer.Option(help="Counted from 1.", min=1)] = None,
    loss_step: Annotated[
        int | None,
        typer.Option(help="The step whose loss goes back, counted from 1; default: the sum of all.", min=1),
    ] = None,
    quantity: Annotated[str, typer.Option(help="A gate or state, forget_gate, hidden_state ..., or as below.")] = "",
    reference: Annotated[str, typer.Option(help="A translation by a person.")] = "",
    force: Annotated[
        list[str] | None, typer.Option(help="What is forced: forget_gate=0@3-5, steps from 0; may be repeated.")
    ] = None,
    edits: Annotated[str, typer.Option(help="Of attention: 5f6 forces step 5 to source word 6; 5z freezes.")] = "",
    span: Annotated[str, typer.Option(help="Words of the text.")] = "",
    pairs: Annotated[
        Path | None, typer.Option(help="A file of sentences and their translations by people, a tab between them.")
    ] = None,
    beam: Annotated[
        int | None, typer.Option(help="Hypotheses that survive a step of a search.", min=1, max=100)
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="α of the length normalisation.", min=0, max=2)] = None,
    theme: Annotated[Theme, typer.Option(help="Colours.")] = Theme.LIGHT,
    size: Annotated[Size, typer.Option(help="Of the letters; presenter is for a lecture hall.")] = Size.NORMAL,
    notation: Annotated[Notation, typer.Option(help="Ng's a⟨t⟩ and Γ, or that of d2l.ai, H and Z.")] = Notation.NG,
    language: Annotated[str, typer.Option(help="Of the words in the picture: en or zh_CN.")] = "en",
    scale: Annotated[float, typer.Option(help="Pixels of a PNG for each unit of the drawing.", min=0.5, max=8)] = 2.0,
) -> None:
    """Draw any picture of the app into one file; an .html has the whole interaction and works offline."""
    with _plain_errors():
        path = _picture_path(output, view)
        if language not in LANGUAGES:
            raise unknown_name("language", language, LANGUAGES)
        from seqviz.pair_files import read_pairs
        from seqviz.pictures.base import Appearance
        from seqviz.pictures.by_name import Asked, picture

        asked = Asked(
            name=name,
            text=_read(text),
            structure=_structure(structure),
            layer=None if layer is None else layer - 1,
            unit=unit,
            step=None if step is None else step - 1,
            loss_step=None if loss_step is None else loss_step - 1,
            quantity=quantity,
            reference=reference,
            force=tuple(force or ()),
            edits=edits,
            span=span,
            pairs=read_pairs(pairs.read_bytes()) if pairs else (),
            beam=beam,
            alpha=alpha,
            appearance=Appearance(
                language=language, notation=notation.value, font_size=18 if size is Size.PRESENTER else 14
            ),
        )
        try:
            drawn = picture(view, asked)
        except InvalidInputError as error:
            raise _as_typed(error) from error
        kind = path.suffix.lower()
        if kind == ".html":
            content: str | bytes = drawn.to_html(theme=theme.value)
        elif kind == ".svg":
            content = drawn.to_svg(theme=theme.value)  # type: ignore[attr-defined]
        else:
            content = drawn.to_png(theme=theme.value, scale=scale)  # type: ignore[attr-defined]
        _write(content, path)
    typer.echo(path)


def _as_typed(error: InvalidInputError) -> InvalidInputError:
    """Layers and steps are typed from 1 and counted from 0 within: the error says them as they are typed."""
    found = error.parameters
    if found.get("field") not in {"layer", "step", "loss_step"}:
        return error
    typed = {name: value + 1 for name in ("value", "low", "high") if isinstance(value := found.get(name), int)}
    return type(error)(error.template, **{**found, **typed})


def _picture_path(output: Path | None, view: str) -> Path:
    """What can be said of a file before anything is computed."""
    if view not in PICTURES:
        raise unknown_view(view)
    if output is None:
        raise InvalidInputError("Say where the picture goes: -o picture.html, .svg or .png.")
    if output.suffix.lower() not in (".html", ".svg", ".png"):
        raise InvalidInputError(
            "A file ending in {suffix!r} cannot be written; allowed are .html, .svg, .png.", suffix=output.suffix
        )
    if PICTURES[view].only_html and output.suffix.lower() != ".html":
        raise InvalidInputError("The view {view} is a page: only .html can be written.", view=view)
    return output


def _structure(name: str | None) -> Structure | None:
    if name is None:
        return None
    for structure in STRUCTURES:
        if structure == name:
            return structure
    raise unknown_name("structure", name, STRUCTURES)


def _read(text: str) -> str:
    """The text that was given; bytes of standard input that are no UTF-8 are replaced."""
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    except OSError as error:
        raise InvalidInputError("The standard input cannot be read: {reason}.", reason=reason_of(error)) from error


def _write(content: str | bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(str(content))
    else:
        # A command line may hold bytes that are no text; they become question marks.
        write_file(output, content if isinstance(content, bytes) else content.encode("utf-8", "replace"))


def main() -> None:
    """Entry point of the command."""
    code = 1
    try:
        with _plain_errors():
            try:
                app()
            finally:
                sys.stdout.flush()
        return
    except BrokenPipeError:
        pass
    except typer.Exit as stop:
        code = stop.exit_code
    # The standard output takes nothing any more: what is left of it must not be tried again at the very end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()

"""The errors that seqviz raises on purpose.

Every message is one plain sentence that names the field, the value and what is allowed, so that it can be shown to a
person as it is. The sentence is kept as a *template* with its *parameters* apart: the template is the gettext message
id, and a front end translates it before it fills in the parameters.
"""

from __future__ import annotations


class SeqvizError(Exception):
    """Base of all errors that seqviz raises on purpose.

    Args:
        template: the sentence with ``{named}`` fields; also the gettext message id.
        parameters: the values of the named fields.
    """

    def __init__(self, template: str, **parameters: object) -> None:
        self.template = template
        self.parameters = parameters
        super().__init__(template.format(**parameters) if parameters else template)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders: rebuild from the template, not from the finished sentence.
        return _rebuild, (type(self), self.template, self.parameters)


def _rebuild(kind: type[SeqvizError], template: str, parameters: dict[str, object]) -> SeqvizError:
    return kind(template, **parameters)


class InvalidInputError(SeqvizError, ValueError):
    """A value given by the caller is outside what is allowed."""


class TextTooLongError(InvalidInputError):
    """A text has more pieces than the view or the model takes."""


class UnknownNameError(InvalidInputError, LookupError):
    """A name (of a model, a recipe, a cell ...) is not one of the known ones."""


class CheckpointError(SeqvizError):
    """A checkpoint folder is damaged, foreign or of a newer format."""


class DataFormatError(InvalidInputError):
    """A data file is not of the documented format."""


class WriteError(SeqvizError):
    """A file or a folder cannot be written."""


class BackendError(SeqvizError):
    """The model backend could not answer."""


class BackendBusyError(BackendError):
    """The queue of the backend is full."""


class DeadlineError(BackendError):
    """The answer did not come within the deadline; the worker was replaced."""


class WorkerDiedError(BackendError):
    """The worker process ended before it answered; it was replaced."""


class JobGoneError(BackendError):
    """There is no background job of that id, or its process has ended."""


class TraceGoneError(BackendError):
    """A worker does not hold the numbers of a long text (any more); they can be made again."""


def unknown_name(field: str, value: object, known: object) -> UnknownNameError:
    """Builds the error for a name that is not among the known ones."""
    return UnknownNameError(
        "{field} {value!r} is not known; known are: {known}.",
        field=field,
        value=value,
        known=", ".join(str(name) for name in known),  # type: ignore[attr-defined]
    )

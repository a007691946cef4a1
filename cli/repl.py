"""The conversation in a terminal: a prompt, streamed answers, a few commands beginning with `/`."""

import sys
from contextlib import suppress
from typing import Any

import click

from cli import chat, console, text
from cli.errors import CliError, NotSignedIn
from cli.hub import Hub

HELP = """\
  /clear       begin a new conversation; the model forgets this one
  /bye         leave (or Ctrl-D)
  /help        this
  \"\"\"          begin and end a message of several lines
  Ctrl-C       stop the answer"""


class Conversation:
    """A chat session with one deployment, made when the first question is asked."""

    def __init__(
        self, hub: Hub, deployment: dict[str, Any], system: str | None, options: dict[str, Any], verbose: bool
    ) -> None:
        self._hub, self._deployment = hub, deployment
        self._system, self._options, self._verbose = system, options, verbose
        self.session: dict[str, Any] | None = None

    def clear(self) -> None:
        self.session = None

    def ask(self, question: str, *, as_json: bool = False) -> chat.Message:
        """Print the answer as it comes and return it; Ctrl-C stops it and raises `KeyboardInterrupt`."""
        if self.session is None:
            self.session = chat.open_session(self._hub, self._deployment, self._system, self._options)
        answer = chat.Answer(self._hub, self._deployment, self.session["id"], question)
        try:
            for piece in answer:
                _show(piece, as_json)
        except KeyboardInterrupt:
            with suppress(CliError):
                answer.stop()
            raise
        finally:
            if not as_json:
                sys.stdout.write("\n")
                sys.stdout.flush()
        message = answer.message or {}
        if as_json:
            console.line({"type": "done", "message": message})
        elif self._verbose:
            console.note(chat.figures(message))
        return message

    def forget(self) -> None:
        """Delete it from the history."""
        if self.session is not None:
            with suppress(CliError):
                self._hub.delete(f"chat/sessions/{self.session['id']}")


def _show(piece: str, as_json: bool) -> None:
    if as_json:
        console.line({"type": "delta", "text": piece})
        return
    sys.stdout.write(text.safe(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def talk(conversation: Conversation) -> None:
    """Until /bye or Ctrl-D."""
    with suppress(ImportError):
        import readline  # noqa: F401 - gives `input` a line editor and a history

    console.note("Ask something. /help shows the commands, /bye leaves.")
    while True:
        try:
            question = _read()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            console.note("\nCtrl-D or /bye leaves.")
            continue
        if question == "/bye":
            return
        if question == "/clear":
            conversation.clear()
            console.note("A new conversation.")
        elif question in ("/help", "/?"):
            console.note(HELP)
        elif question.startswith("/"):
            console.note(f"There is no command {question.split()[0]}. /help shows those there are.")
        elif question:
            _answer(conversation, question)


def _answer(conversation: Conversation, question: str) -> None:
    """One failed answer does not end the conversation; being signed out does."""
    try:
        conversation.ask(question)
    except KeyboardInterrupt:
        console.note("Stopped.")
    except NotSignedIn:
        raise
    except CliError as error:
        console.error(error.message)


def _read() -> str:
    first = input(">>> ").strip()
    if not first.startswith('"""'):
        return first
    lines = [first[3:]]
    while not lines[-1].rstrip().endswith('"""'):
        lines.append(input("... "))
    lines[-1] = lines[-1].rstrip()[:-3]
    return "\n".join(lines).strip()

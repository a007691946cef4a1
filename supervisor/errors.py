"""Why the hub cannot start, as one sentence for the person who tried."""


class CannotStart(Exception):
    """The message is the whole output on stderr: what is wrong and what to do next. Exit code 2."""

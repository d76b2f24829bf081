"""What the tool says to a user who asked for something that cannot be done."""


class Error(Exception):
    """The message is one line: what is wrong, where, and what was expected."""

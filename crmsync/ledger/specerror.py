"""SpecError and its children: why a mapping, one field of it, or one run cannot go on.

SpecError
├── BehindError  this process cannot; newer code can
├── FieldError   one field cannot; the rest of its mapping can
└── RunError     a run cannot; its mapping goes on
"""

from crmsync.engine import terms


class SpecError(Exception):
    """A mapping that cannot run as it is: one sentence with the remedy."""


class BehindError(SpecError):
    """A mapping of newer code than this process has, as during a deployment: its work is left to that code."""


class FieldError(SpecError):
    """A field that cannot work at present, while the rest of its mapping can: a problem word and the end at fault."""

    def __init__(self, code: terms.Problem, message: str, side: terms.SideName = terms.SideName.REMOTE) -> None:
        super().__init__(message)
        self.code = code
        self.side = side


class RunError(SpecError):
    """A run that may not go on, such as after an edit of its mapping, which itself works: one sentence."""

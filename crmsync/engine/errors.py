"""EngineError and its children.

EngineError
├── ConvertError     a value cannot cross to the other side: code, field, value type, sentence
└── UnsafePlanError  a plan exceeds its limits: what, how many, the limit
"""


class EngineError(Exception):
    """Anything the engine refuses."""


class ConvertError(EngineError):
    """A value that cannot be said on the other side; ``code`` is one of the problem words of field.*."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class UnsafePlanError(EngineError):
    """A plan that would do more than its limits allow; nothing of it may be applied without approval."""

    def __init__(self, what: str, count: int, limit: int) -> None:
        super().__init__(f"The plan would make {count} {what}; the limit is {limit}.")
        self.what = what
        self.count = count
        self.limit = limit

"""What can go wrong, named by what happened. Every room raises these; only the HTTP edge knows their statuses."""


class BaseplaneError(Exception):
    """An error that was foreseen. Its message goes to the caller: what was wrong, and what to do.

    ``extra`` holds further keys of the answer, such as ``missing_permissions``.
    """

    def __init__(self, message: str, **extra: object) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class Invalid(BaseplaneError):
    """The request itself is wrong: a field, a value, a state in which it makes no sense."""


class Unauthorized(BaseplaneError):
    """Nobody is known by these credentials."""


class Forbidden(BaseplaneError):
    """The caller is known and may not do this."""


class NotFound(BaseplaneError):
    """It is not there, or the caller may not know of it."""


class Conflict(BaseplaneError):
    """It clashes with what is there already."""


class TooLarge(BaseplaneError):
    """The request, or its answer, passes a limit."""


class QuotaExceeded(BaseplaneError):
    """There are as many of these as there may be."""


class RateLimited(BaseplaneError):
    """Too many requests. ``retry_after`` is in seconds; ``headers`` tell the caller how it stands."""

    def __init__(self, message: str, retry_after: int, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.headers = {**headers, "Retry-After": str(retry_after)}


class NotYet(BaseplaneError):
    """It was accepted and is not done in time; asking again later tells."""


class Unavailable(BaseplaneError):
    """A part of this installation does not answer."""

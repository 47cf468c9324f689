"""Parts of a project's address that this installation does not serve, and what to do without them."""

from baseplane.errors import NotFound, Unavailable

ABSENT = {
    "auth/v1": (
        "Auth does not run in this installation.",
        "Let another issuer sign your users in, and add it to the project's third-party auth.",
    ),
    "storage/v1": (
        "Storage does not run in this installation.",
        "Keep files in another object store until it does.",
    ),
    "realtime/v1": (
        "Realtime does not run in this installation.",
        "Poll, or listen to the database (LISTEN) through its Postgres address.",
    ),
    "graphql/v1": (
        "GraphQL does not run in this installation.",
        "Use /rest/v1, or SQL through the project's Postgres address.",
    ),
    "rest/v1": (
        "REST does not run in this installation.",
        "Use SQL through the project's Postgres address; `baseplane doctor` says what is missing.",
    ),
    "functions/v1": (
        "Functions do not run in this installation.",
        "`baseplane doctor` says what is missing.",
    ),
}


def absent(name: str) -> Unavailable | NotFound:
    """What to raise for a service that nobody answers for."""
    if found := ABSENT.get(name):
        return Unavailable(found[0], code="SERVICE_NOT_RUNNING", hint=found[1])
    return NotFound(
        f"There is nothing at /{name}.", code="NOT_FOUND", hint=f"A project has {', '.join(sorted(ABSENT))}."
    )

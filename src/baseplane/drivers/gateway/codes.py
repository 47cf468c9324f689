"""What the door's own refusals are called, for programs: in ``sb-error-code`` and as ``code`` of the body.

Where the hosted platform has a name for what happened to a function, it is that one (platform.md, section 8).
"""

CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    413: "BODY_TOO_LARGE",
    414: "INVALID_URL",
    417: "EXPECTATION_FAILED",
    429: "RATE_LIMIT_EXCEEDED",
    431: "HEAD_TOO_LARGE",
    500: "GATEWAY_ERROR",
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
    505: "HTTP_VERSION_NOT_SUPPORTED",
}
HEADER = "sb-error-code"
INVALID_URL = "INVALID_URL"
INVALID_STATUS = "INVALID_RESPONSE_STATUS_CODE"


def of(status: int) -> str:
    """The code of a refusal that nobody has given a closer one."""
    return CODES.get(status, f"HTTP_{status}")

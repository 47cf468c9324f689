"""Why a process ended, in the contract's codes and statuses (platform.md, section 8)."""

import signal

from baseplane.drivers.functions import FunctionFailed, Limits

NO_LISTENER = "The function ended without listening: it calls Deno.serve(…), or exports default { fetch }."


def never_listened(limits: Limits) -> FunctionFailed:
    return _failed(503, "BOOT_ERROR", f"The function did not listen within {limits.boot:g} seconds.")


def did_not_load(said: str) -> FunctionFailed:
    return _failed(503, "BOOT_ERROR", _last_words(said) or NO_LISTENER)


def stopped_listening() -> FunctionFailed:
    return _failed(500, "WORKER_ERROR", "The function does not listen any more.")


def too_many(most: int) -> FunctionFailed:
    return _failed(546, "WORKER_LIMIT", f"This machine runs as many functions as it may ({most}).")


def too_many_of_one(most: int) -> FunctionFailed:
    return _failed(546, "WORKER_LIMIT", f"This project runs as many functions at a time as one may ({most}).")


def did_not_start(error: Exception) -> FunctionFailed:
    return _failed(503, "BOOT_ERROR", f"The function's process could not be started: {error}")


def out_of_memory(limits: Limits) -> FunctionFailed:
    return _failed(546, "WORKER_LIMIT", f"The function took more than {limits.memory // 2**20} MB of memory.")


def out_of_processor_time(limits: Limits) -> FunctionFailed:
    return _failed(
        546, "WORKER_LIMIT", f"The function took more than {limits.cpu:g} s of processor time for a request."
    )


def out_of_time(limits: Limits) -> FunctionFailed:
    return _failed(546, "WORKER_LIMIT", f"The function ran for more than {limits.wall:g} s.")


def idle() -> FunctionFailed:
    return _failed(504, "IDLE_TIMEOUT", "The function's process had nothing to do and was stopped.")


def stopped() -> FunctionFailed:
    return _failed(503, "WORKER_ERROR", "The function's process was stopped.")


def ended(said: str, code: int) -> FunctionFailed:
    how = signal.Signals(-code).name if code < 0 else f"code {code}"
    return _failed(500, "WORKER_ERROR", _last_words(said) or f"The function's process ended by itself ({how}).")


def _failed(status: int, code: str, message: str) -> FunctionFailed:
    return FunctionFailed(message, code=code, status=status)


def _last_words(said: str) -> str:
    """From the last error on, a few lines."""
    _, found, rest = said.rpartition("error: ")
    return "\n".join(line.rstrip() for line in rest.splitlines()[:8]) if found else ""

"""Which part of which project a request's address means."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from baseplane.drivers.gateway import Request
from baseplane.settings import Settings

_REF = re.compile(r"[a-z]{20}")
_BY_PATH = re.compile(r"/(?P<ref>[a-z]{20})(?P<target>(?:[/?].*)?)")
_SERVICE = re.compile(r"/(?P<name>[a-z]+/v\d+)(?P<rest>(?:[/?].*)?)")


@dataclass(frozen=True, slots=True)
class Place:
    """``service`` is such as "rest/v1", or None when the address names none; ``rest`` is what follows it."""

    ref: str
    service: str | None
    rest: str


class Addresses:
    """By host, <ref>.<project host>, or the host of ``project_url``; else by path, /<ref>/…"""

    def __init__(self, settings: Settings) -> None:
        hosts = [settings.project_host.lower()]
        named = (urlsplit(settings.project_url).hostname or "").partition("{ref}.")
        if not named[0] and named[2]:
            hosts.append(named[2])
        self._suffixes = tuple("." + host for host in hosts)

    def find(self, request: Request) -> Place | None:
        """None when it names no project."""
        if ref := self.ref_of(request.host):
            return _place(ref, request.target)
        found = _BY_PATH.fullmatch(request.target)
        return _place(found["ref"], found["target"]) if found else None

    def ref_of(self, host: str) -> str | None:
        """The project whose host that is."""
        for suffix in self._suffixes:
            ref = host.removesuffix(suffix)
            if ref != host and _REF.fullmatch(ref):
                return ref
        return None


def _place(ref: str, target: str) -> Place:
    found = _SERVICE.fullmatch(target)
    return Place(ref, found["name"], found["rest"]) if found else Place(ref, None, target)

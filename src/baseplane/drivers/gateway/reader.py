"""Reads requests off a connection, strictly: what could be read in two ways is refused."""

import logging
from typing import Protocol

import httptools

from baseplane.drivers.gateway import Answer, Limits, Request, heads
from baseplane.drivers.gateway.framing import told
from baseplane.drivers.gateway.heads import Head, Hop, Line, Malformed

log = logging.getLogger(__name__)


class Sink(Protocol):
    """What is read goes there."""

    def request(self, head: Head) -> None: ...
    def request_body(self, data: bytes) -> None: ...
    def request_end(self) -> None: ...

    def request_refused(self, answer: Answer) -> None:
        """What has come is no request, or not to its end. Nothing more will be read."""

    def request_ahead(self, data: bytes) -> None:
        """After a request to change the protocol; what follows is to be decided."""


class Reader:
    """``is_inside`` tells whether part of a head has been read, ``is_deaf`` that whatever comes is thrown away."""

    def __init__(self, sink: Sink, limits: Limits, hop: Hop, peer: str) -> None:
        self._sink = sink
        self._limits = limits
        self._hop = hop
        self._peer = peer
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._lines: list[Line] = []
        self._size = self._fed = 0
        self._head: Head | None = None
        self._stops = self._resumes = False
        self._may_follow = True
        self.is_deaf = False

    @property
    def is_inside(self) -> bool:
        return self._fed > 0

    def feed(self, data: bytes) -> None:
        if self.is_deaf:
            return
        self._fed += len(data)
        rest = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            self._unreadable(error.__context__)
        except httptools.HttpParserError as error:
            if self._head is not None or self._may_follow:
                self.refuse(told(400, f"This is no HTTP/1.1: {error}."))
            self.is_deaf = True  # after a last request, whatever comes is no concern of ours
        else:
            if self._fed > self._limits.head:
                self.refuse(told(431, f"The head is longer than {self._limits.head} bytes."))
        if rest is not None:
            self._go_on(rest)

    def _unreadable(self, cause: BaseException | None) -> None:
        if isinstance(cause, Malformed):
            self.refuse(told(cause.status, cause.message, cause.code))
        else:
            log.error("a request could not be read", exc_info=cause)
            self.refuse(told(500, "The gateway failed; its log says why."))

    def refuse(self, answer: Answer) -> None:
        if self.is_deaf:
            return
        self.is_deaf = True
        self._sink.request_refused(answer)

    def as_far_as_read(self) -> Request:
        """For the record, what there is of a request that is refused."""
        headers = heads.joined(self._lines)
        return Request("", self._url[:2048].decode("latin-1"), headers, headers.get("host", ""), self._peer, False)

    def _go_on(self, rest: bytes) -> None:
        """The parser stops where a client offers another protocol. Unless that is taken, HTTP goes on: the body first."""
        self._parser = httptools.HttpRequestParser(self)
        self._stops = False
        head = self._head
        if self.is_deaf:
            return
        if head is not None and head.upgrade:
            self._head = None
            self._fed = 0
            self._sink.request_ahead(rest)
            return
        if head is not None:
            framing = b"Transfer-Encoding: chunked" if head.length is None else b"Content-Length: %d" % head.length
            self._resumes = True
            self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
        if rest:
            self.feed(rest)

    def on_message_begin(self) -> None:
        self._url = b""
        self._lines = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > self._limits.head:
            raise Malformed(414, f"The target is longer than {self._limits.head} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value) + 4
        if self._size + len(self._url) > self._limits.head or len(self._lines) >= self._limits.headers:
            raise Malformed(
                431, f"The head is longer than {self._limits.head} bytes or {self._limits.headers} headers."
            )
        if self._head is None:  # else it is a trailer, which nobody here has a use for
            self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        self._fed = self._size = 0
        if self._resumes:
            self._resumes = False
            return
        if self.is_deaf:
            return  # the parser goes on to the end of what it was fed
        parser = self._parser
        method, version = parser.get_method().decode(), parser.get_http_version()
        head = heads.read(method, self._url, version, self._lines, self._hop, self._peer)
        self._head = head
        self._may_follow = head.keep
        self._stops = parser.should_upgrade()
        self._sink.request(head)

    def on_body(self, data: bytes) -> None:
        self._fed = 0
        if not self.is_deaf:
            self._sink.request_body(data)

    def on_message_complete(self) -> None:
        self._fed = 0
        head = self._head
        if head is None or self.is_deaf or (self._stops and head.has_body):
            return
        if not head.upgrade:
            self._head = None
        self._sink.request_end()

"""The bytes that form a request, and those that are refused."""

from __future__ import annotations

import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cassette.server import request_reader
from cassette.server.request_reader import Refused


def read(sent, proceed=lambda: None):
    """The first request, and the bytes after it."""
    file = io.BytesIO(sent)
    return request_reader.request(file, proceed), file.read()


def refusal(sent):
    """The status of a refusal."""
    with pytest.raises(Refused) as caught:
        read(sent)
    return caught.value.reply.status


def with_header(line):
    return b"POST / HTTP/1.1\r\n" + line + b"\r\nHost: here\r\n\r\n"


def test_a_request_ends_where_its_body_ends():
    """The following bytes are the next request."""
    sent = b"POST /s?a=b HTTP/1.1\r\nHost: here\r\nCONTENT-length:\t2 \r\n\r\n{}GET /"
    request, left = read(sent)
    assert request[:3] == ("POST", "/s?a=b", {"host": "here", "content-length": "2"})
    assert (request.content, request.stays_open, left) == (b"{}", True, b"GET /")


TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=30).filter(
    lambda text: not any("\x7f" <= one < "\x80" for one in text)
)
READ = {"content-length", "transfer-encoding", "content-encoding", "connection", "expect"}


@given(st.dictionaries(TOKENS.map(str.lower).filter(lambda name: name not in READ), VALUES))
def test_every_header_is_read(headers):
    """Its value has no white space around it."""
    lines = "".join(f"{name.title()}:{value}\r\n" for name, value in headers.items())
    request, left = read(f"GET / HTTP/1.1\r\n{lines}\r\n{{}}".encode("latin-1"))
    assert request.headers == {name: value.strip(" \t") for name, value in headers.items()}
    assert left == b"{}"


@pytest.mark.parametrize(
    "line",
    [
        b"no header",
        b": nameless",
        b"A : b",
        b" A: b",
        b"A: b\r\n folded",
        b"A: b\r\n\tfolded",
        b"A: b\rC: d",
        b"A: b\0",
        b"A: \x1b[0m",
        b"A\xe4: b",
        b"A\0: b",
        b"\xef\xbb\xbfA: b",
        b"Host: there",
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Content-Length: 2, 2",
        b"Content-Length: +2",
        b"Content-Length: 0x2",
        b"Content-Length: 1_0",
        b"Content-Length: \xb2",
        b"Content-Length:",
        b"Content-Length : 2",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding:",
    ],
)
def test_a_head_that_could_mean_two_things_is_refused(line):
    """No header is lost, and no part of a body is read as a request."""
    assert refusal(with_header(line)) == 400


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"", 400),
        (b" ", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET / HTTP/2.0", 400),
        (b"GET / HTTP/1.10", 400),
        (b"GET / http/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /\0 HTTP/1.1", 400),
        (b"G\xe4T / HTTP/1.1", 400),
        (b"BREW / HTTP/1.1", 405),
        (b"HEAD / HTTP/1.1", 405),
        (b"get / HTTP/1.1", 405),
    ],
)
def test_the_first_line_is_of_one_form(first, status):
    """A method whose answer has a body, a path, and a known version."""
    assert refusal(first + b"\r\nHost: here\r\n\r\n") == status


@pytest.mark.parametrize(
    ("version", "line", "stays_open"),
    [
        (b"1.1", b"A: b", True),
        (b"1.1", b"Connection: Close", False),
        (b"1.1", b"Connection: close, TE", False),
        (b"1.1", b"Connection: keep-alive", True),
        (b"1.0", b"A: b", False),
        (b"1.0", b"Connection: Keep-Alive", True),
        (b"1.0", b"Connection: TE", False),
    ],
)
def test_how_long_a_connection_stays_open(version, line, stays_open):
    """As the client says, or as its version of HTTP says by default."""
    request, _ = read(b"GET / HTTP/" + version + b"\r\n" + line + b"\r\n\r\n")
    assert request.stays_open is stays_open


def test_a_head_is_bounded():
    """In its bytes and in the number of its headers."""
    assert refusal(with_header(b"A: " + b"b" * 70_000)) == 431
    assert refusal(b"GET /" + b"x" * 70_000) == 431
    assert refusal(with_header(b"A: b\r\n" * 100 + b"A: b")) == 431
    assert read(with_header(b"\r\n".join([b"A: b"] * 99)))[0].headers["a"] == ", ".join("b" * 99)


@pytest.mark.parametrize(
    "chunks",
    [
        b"2;" + b"x" * 2_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"0\r\nA: " + b"x" * 2_000 + b"\r\n\r\n",
        b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
)
def test_chunks_that_could_end_elsewhere_are_refused(chunks):
    """Their sizes are hexadecimal numbers, and their lines are short."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refusal(head + chunks) == 400


def test_a_client_that_waits_before_its_body_is_told_to_continue():
    """Once its head is complete and valid."""
    told = []
    sent = b"Expect: 100-continue\r\nContent-Length: 2"
    request, _ = read(b"POST / HTTP/1.1\r\n" + sent + b"\r\n\r\n{}", lambda: told.append("proceed"))
    assert (request.content, told) == (b"{}", ["proceed"])


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_or_end_too_early(sent):
    """No other exception is raised."""
    with pytest.raises((Refused, EOFError)):
        read(sent)

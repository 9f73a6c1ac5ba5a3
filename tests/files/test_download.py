"""Fetching a corpus from a real HTTP server on 127.0.0.1."""

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.corpus import load_corpus

TEXTS = {"x.train.txt": b"a b a b\n" * 20000, "x.valid.txt": b"a b\n", "x.test.txt": b"b a\n"}


class Handler(BaseHTTPRequestHandler):
    """Serves TEXTS; ``server.fault`` says what goes wrong with x.train.txt."""

    def do_GET(self):
        name = self.path.strip("/")
        self.server.requests.append(name)
        fault = self.server.fault if name == "x.train.txt" else None
        body = TEXTS[name]
        if fault == "404":
            self.send_error(404)
            return
        if fault == "wrong":
            body = body.replace(b"a", b"c")
        if fault == "longer":
            body += b"more\n"
        self.send_response(200)
        if fault != "cut without length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault and fault.startswith("cut") else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.fault, server.requests = None, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def corpus_folder(tmp_path, port):
    """A folder as under datasets/, whose texts are to be fetched."""
    folder = tmp_path / "x"
    folder.mkdir(exist_ok=True)
    files = [{"name": name, "bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
             for name, text in TEXTS.items()]
    about = {"name": "x", "address": f"http://127.0.0.1:{port}/", "files": files}
    (folder / "corpus.json").write_text(json.dumps(about))
    return str(folder)


def cached(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache" / "x").iterdir())


def test_a_good_file_is_fetched_once_verified_and_cached(server, tmp_path):
    folder = corpus_folder(tmp_path, server.server_port)
    seen = {}

    def on_file(name, size):
        seen[name] = [size, 0]

        def on_bytes(count):
            seen[name][1] += count

        return on_bytes

    corpus = load_corpus(folder, on_file=on_file)
    assert corpus.train.size == 100000
    assert cached(tmp_path) == sorted(TEXTS)
    assert seen == {name: [len(text), len(text)] for name, text in TEXTS.items()}
    load_corpus(folder)
    assert sorted(server.requests) == sorted(TEXTS)  # the second time from the cache


@pytest.mark.parametrize("damage", [b"z", b"\0", b"\xff"])
@pytest.mark.parametrize("long", [False, True])
def test_a_damaged_file_in_the_cache_is_fetched_anew(server, tmp_path, monkeypatch, damage, long):
    if long:
        monkeypatch.setattr("rnnlm.text.numbered_cache.LONG", 10)
    folder = corpus_folder(tmp_path, server.server_port)
    load_corpus(folder)
    path = tmp_path / "cache" / "x" / "x.train.txt"
    path.write_bytes(path.read_bytes().replace(b"a", damage))
    assert "z" not in load_corpus(folder).vocabulary.words
    assert server.requests.count("x.train.txt") == 2
    assert server.requests.count("x.test.txt") == 1


@pytest.mark.parametrize(("fault", "message"), [
    ("wrong", "does not have the recorded SHA-256"),
    ("cut", "the connection ended early \\(received 80000 of 160000 bytes\\)"),
    ("cut without length", "the connection ended early \\(received 80000 of 160000 bytes\\)"),
    ("longer", "the file is longer than recorded"),
    ("404", "the server answered 404 Not Found"),
])
def test_a_fault_is_one_line_and_leaves_no_broken_file(server, tmp_path, fault, message):
    server.fault = fault
    folder = corpus_folder(tmp_path, server.server_port)
    with pytest.raises(RnnlmError, match=message) as caught:
        load_corpus(folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("try again, or put x.train.txt, x.valid.txt and x.test.txt into the folder "
                                      f"{tmp_path / 'cache/x'} by hand")
    assert cached(tmp_path) == []
    server.fault = None
    assert load_corpus(folder).train.size == 100000  # and the next try succeeds


def test_no_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    with socket.socket() as unused:  # bound and not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        folder = corpus_folder(tmp_path, unused.getsockname()[1])
        with pytest.raises(RnnlmError, match=r"could not be reached .*refused"):
            load_corpus(folder)
    assert cached(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_one_line(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "file"))
    with pytest.raises(RnnlmError, match="could not"):
        load_corpus(corpus_folder(tmp_path, server.server_port))


def test_texts_put_beside_corpus_json_are_taken_without_a_connection(tmp_path):
    folder = corpus_folder(tmp_path, 9)
    for name, text in TEXTS.items():
        (tmp_path / "x" / name).write_bytes(text)
    assert load_corpus(folder).train.size == 100000

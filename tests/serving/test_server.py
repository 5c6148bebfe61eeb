import http.client
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from make_us_rich.errors import MakeUsRichError, UsageError
from make_us_rich.serving.app import create_app
from make_us_rich.serving.server import ApiServer, listen, require_loopback


@contextmanager
def running(app, host="127.0.0.1"):
    """Run a server in a thread and yield the address it says it is ready at."""
    ready, addresses = threading.Event(), []

    def on_ready(address):
        addresses.append(address)
        ready.set()

    server = ApiServer(app, host, 0, on_ready)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(10)
        yield addresses[0]
    finally:
        server.stop()
        thread.join()


def get(address, path):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_address_it_is_ready_at_answers(desk):
    with running(create_app(desk.view)) as address:
        answer, content = get(address, "/healthz")
    assert (answer.status, content) == (200, b'{"status":"ok"}')
    assert answer.getheader("server") is None


def test_a_port_in_use_is_one_clear_line():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MakeUsRichError, match=f"port {port} on 127.0.0.1 is in use; .*--port") as refusal:
            listen("127.0.0.1", port)
    assert not isinstance(refusal.value, UsageError), "the exit status is 1, not 2"


def test_a_port_that_is_none_is_wrong_usage():
    with pytest.raises(UsageError, match="port 70000"):
        listen("127.0.0.1", 70000)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_alone_may_be_bound(host):
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk.example", ""])
def test_without_accounts_nothing_else_may_be_bound(host):
    with pytest.raises(UsageError, match="no accounts yet"):
        require_loopback(host)

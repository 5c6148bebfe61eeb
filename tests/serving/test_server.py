import http.client
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from make_us_rich.errors import MakeUsRichError, UsageError
from make_us_rich.serving.server import ApiServer, exposure_warning, listen


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
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_address_it_is_ready_at_answers(desk):
    with running(desk.app()) as address:
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
@pytest.mark.parametrize("is_public", [True, False])
def test_this_machine_alone_needs_no_warning(host, is_public):
    assert exposure_warning(host, is_public=is_public, is_behind_proxy=False) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk.example", ""])
def test_a_host_others_reach_is_warned_about_unless_a_proxy_with_tls_is_named(host):
    assert "without TLS" in exposure_warning(host, is_public=False, is_behind_proxy=False)
    assert "MUR_PUBLIC_READ" in exposure_warning(host, is_public=True, is_behind_proxy=True)
    assert exposure_warning(host, is_public=False, is_behind_proxy=True) is None

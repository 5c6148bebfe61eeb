"""A month's calls under load: none too many, none too few, however many ask at once and wherever."""

import asyncio
import collections
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.quota import calls_made
from make_us_rich.accounts.tokens import TokenRequest, create_token
from make_us_rich.accounts.users import list_users
from make_us_rich.serving import metering
from make_us_rich.serving.access import Access, utc_now
from make_us_rich.serving.metering import Meter
from serving.test_mur_serve import MurServe

CLIENTS, CALLS_EACH, QUOTA = 200, 8, 1_000
LONGEST_SECONDS = 60


async def ask_all(ports, text):
    """Statuses of what 200 clients are answered who share a token and ask the servers in turn."""
    statuses = collections.Counter()

    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"GET /v1/forecasts/BTC-USDT HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {text}\r\n\r\n".encode()
        )
        for _ in range(CALLS_EACH):
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            statuses[int(answer[9:12])] += 1
        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(LONGEST_SECONDS):
        await asyncio.gather(*(ask(ports[number % len(ports)]) for number in range(CLIENTS)))
    return statuses


@pytest.mark.slow
def test_of_200_clients_on_one_token_exactly_the_calls_left_are_answered(
    desk, people, database_url, tmp_path
):
    text = create_token(people, "ben", TokenRequest("shared"), utc_now())[1]
    settings = {
        "MUR_DATABASE_URL": database_url,
        "MUR_PUBLIC_READ": "false",
        "MUR_MONTHLY_QUOTA": str(QUOTA),
        "MUR_RATE_LIMIT_PER_MINUTE": "100000",
    }
    servers = [MurServe(tmp_path, **settings) for _ in range(1 if people.is_sqlite else 2)]
    try:
        statuses = asyncio.run(ask_all([server.port for server in servers], text))
    finally:
        for server in servers:
            server.stop()
    assert statuses == {200: QUOTA, 429: CLIENTS * CALLS_EACH - QUOTA}
    ben = next(user.id for user in list_users(people) if user.name == "ben")
    assert calls_made(people, ben, utc_now()) == QUOTA


# lending


@pytest.fixture
def principal(people):
    ben = next(user for user in list_users(people) if user.name == "ben")
    return Principal(ben.id, ben.name, "member", frozenset({"read"}), monthly_quota=100_000)


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def meter(people, executor):
    return Meter(Access(people, b"k" * 32), executor)


def made(people, principal):
    return calls_made(people, principal.user_id, utc_now())


def test_who_has_many_calls_left_is_lent_some_and_what_is_left_is_told_right(meter, people, principal):
    async def take():
        return [(await meter.take(principal)).left for _ in range(5)]

    assert asyncio.run(take()) == [99_999, 99_998, 99_997, 99_996, 99_995]
    assert 5 < made(people, principal) <= 1 + 1_000
    meter.give_back()
    assert made(people, principal) == 5


def test_what_lies_idle_is_put_back(meter, people, principal, monkeypatch):
    monkeypatch.setattr(metering, "IDLE_SECONDS", 0.05)

    async def take_and_wait():
        for _ in range(3):
            await meter.take(principal)
        deadline = time.monotonic() + 30
        while made(people, principal) != 3:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    asyncio.run(take_and_wait())


def test_many_at_once_are_counted_once_each(meter, people, principal):
    async def take():
        return await asyncio.gather(*(meter.take(principal) for _ in range(500)))

    readings = asyncio.run(take()) + asyncio.run(take())
    assert all(reading.is_granted for reading in readings)
    meter.give_back()
    assert made(people, principal) == 1_000

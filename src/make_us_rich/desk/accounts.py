"""The accounts of a desk as it starts: the database is ready, the keys are there, somebody can come in."""

from collections.abc import Iterator
from contextlib import contextmanager

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.users import ensure_admin
from make_us_rich.database.engine import Database
from make_us_rich.database.schema import bring_up_to_date, create_if_absent, require_current
from make_us_rich.desk.workplace import Workplace
from make_us_rich.serving.access import Access, access_of

FIRST_START = "first start"


@contextmanager
def opened_database(place: Workplace, *, migrates: bool = False) -> Iterator[Database]:
    """Yield the database of a market, made if it is absent; one of another version is migrated or refused."""
    database = place.database()
    try:
        create_if_absent(database)
        if migrates:
            bring_up_to_date(database)
        require_current(database, place.market)
        yield database
    finally:
        database.close()


@contextmanager
def opened_access(place: Workplace, *, migrates: bool = False) -> Iterator[Access]:
    """Yield who has access to a market and by which keys, which are made where there are none."""
    with opened_database(place, migrates=migrates) as database:
        yield access_of(place.settings, place.home, database)


def first_login_line(access: Access, address: str) -> str | None:
    """Return how the first administrator comes in; None once one has."""
    code = ensure_admin(access.database, Deed(FIRST_START, access.now()))
    if code is None:
        return None
    link = f"{address}{access.root_path}/login?code={code}"
    return f"No administrator has a password yet. Choose it here, once, within a day: {link}"

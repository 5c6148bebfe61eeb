"""The accounts of a home as a desk starts: keys are there, and somebody can come in."""

from collections.abc import Iterator
from contextlib import contextmanager

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.secret_key import adopt_secret_key
from make_us_rich.accounts.users import ensure_admin
from make_us_rich.operations.home_database import opened_database
from make_us_rich.serving.access import Access, access_of
from make_us_rich.settings import Settings

FIRST_START = "first start"


@contextmanager
def opened_access(settings: Settings, *, migrates: bool = False) -> Iterator[Access]:
    """Yield who has access to this home and by which keys, which are made where there are none."""
    with opened_database(settings, migrates=migrates) as database:
        adopt_secret_key(settings)
        yield access_of(settings, database)


def first_login_line(access: Access, address: str) -> str | None:
    """Return how the first administrator comes in; None once one has."""
    code = ensure_admin(access.database, Deed(FIRST_START, access.now()))
    if code is None:
        return None
    link = f"{address}{access.root_path}/login?code={code}"
    return f"No administrator has a password yet. Choose it here, once, within a day: {link}"

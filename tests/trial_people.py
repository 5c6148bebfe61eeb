"""An administrator, ada, and a member, ben, whose passwords are known."""

from datetime import UTC, datetime

from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.logins import redeem_link
from make_us_rich.accounts.users import add_user

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
ADA, BEN = "seven white horses", "twelve black sheep"
DEED = Deed("tests", NOW)


def add_people(database, now=NOW):
    for name, role, password in (("ada", "admin", ADA), ("ben", "member", BEN)):
        redeem_link(database, add_user(database, name, role, Deed("tests", now)), password, now)
    return database

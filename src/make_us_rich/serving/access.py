"""Who may use the API and how much: the accounts, the keys and the limits of one desk."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from make_us_rich.accounts.secret_key import load_secret_key
from make_us_rich.database.engine import Database
from make_us_rich.settings import Settings, SignUp


def utc_now() -> datetime:
    """Return the present moment: accounts live in this time, also where the market is a replay."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Access:
    """What the service knows about people and limits; the database has its tables already."""

    database: Database
    secret_key: bytes
    public_read: bool = False
    sign_up: SignUp = "invitation"
    monthly_quota: int = 1_000
    rate_limit_per_minute: int = 600
    trusted_proxies: str = ""
    root_path: str = ""
    access_log: bool = False
    now: Callable[[], datetime] = utc_now


def access_of(settings: Settings, database: Database) -> Access:
    """Return what the settings of this machine say about access; a key is made if there is none."""
    return Access(
        database=database,
        secret_key=load_secret_key(settings),
        public_read=settings.public_read,
        sign_up=settings.sign_up,
        monthly_quota=settings.monthly_quota,
        rate_limit_per_minute=settings.rate_limit_per_minute,
        trusted_proxies=settings.trusted_proxies,
        root_path=settings.root_path.rstrip("/"),
        access_log=settings.access_log,
    )

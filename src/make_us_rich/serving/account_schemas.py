"""What the routes of accounts take and answer with; a secret stands in an answer only where it is made."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from make_us_rich.accounts.principal import Role, Scope
from make_us_rich.serving.schemas import Answer, MarketAnswer

MOST_CALLS = 1_000_000_000
MOST_DAYS = 3_650
MOST_HELD = 1e15

Text = Annotated[str, Field(max_length=256)]


class Order(BaseModel):
    """What somebody asks for; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LoginOrder(Order):
    """Name and password; or the code of a one-time link and a new password."""

    name: Text | None = None
    code: Text | None = None
    password: Text


class SignUpOrder(Order):
    """A new account; the code of an invitation is needed unless sign-up is open."""

    name: Text
    password: Text
    invitation: Text | None = None


class MeAnswer(Answer):
    """Who asks, what they may, and what is left of their month."""

    name: str
    role: Role
    scopes: tuple[str, ...]
    csrf_token: str | None = Field(
        description="To be sent as X-CSRF-Token with changes; null where a token is used."
    )
    monthly_quota: int
    calls_this_month: int


class TokenOrder(Order):
    """A token somebody wants; without days it is valid until it is revoked."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: tuple[Scope, ...] = ("read",)
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


class TokenAnswer(Answer):
    """A token, as far as it can still be told."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewTokenAnswer(TokenAnswer):
    """A token that was just made."""

    token: str = Field(description="Shown this once; only its hash is stored.")


class TokenListAnswer(Answer):
    """The tokens of a user, oldest first."""

    tokens: tuple[TokenAnswer, ...]


class UserOrder(Order):
    """A user to add."""

    name: Text
    role: Role = "member"


class UserChangeOrder(Order):
    """What to change of a user; what is left out stays."""

    role: Role | None = None
    is_disabled: bool | None = None
    monthly_quota: Annotated[int, Field(ge=0, le=MOST_CALLS)] | None = None


class UserAnswer(Answer):
    """A user, as administrators see them."""

    name: str
    role: Role
    is_disabled: bool
    has_password: bool
    monthly_quota: int | None = Field(description="Null for that of the settings.")
    created_at: datetime
    last_login_at: datetime | None


class UserListAnswer(Answer):
    """Every user, by name."""

    users: tuple[UserAnswer, ...]


class LinkAnswer(Answer):
    """A way in for one user, once."""

    name: str
    login_path: str = Field(description="Good once, for a day; shown this once.")


class InvitationOrder(Order):
    """An invitation to sign up."""

    role: Role = "member"


class InvitationAnswer(Answer):
    """An invitation, as far as it can still be told."""

    id: int
    role: Role
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class NewInvitationAnswer(InvitationAnswer):
    """An invitation that was just made."""

    code: str = Field(description="Shown this once; only its hash is stored.")
    sign_up_path: str


class InvitationListAnswer(Answer):
    """Every invitation, newest first."""

    invitations: tuple[InvitationAnswer, ...]


class UsageAnswer(Answer):
    """The calls of one user in a month, made with tokens."""

    name: str
    calls: int


class UsageListAnswer(Answer):
    """The calls of everybody who made some in a month."""

    month: str
    usage: tuple[UsageAnswer, ...]


class DeedAnswer(Answer):
    """Something an administrator did."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class DeedListAnswer(Answer):
    """The last deeds of administrators, newest first."""

    deeds: tuple[DeedAnswer, ...]


class HoldingOrder(Order):
    """How much of the base currency is held; 0 only follows the pair."""

    amount: Annotated[float, Field(ge=0, le=MOST_HELD, allow_inf_nan=False)] = 0.0


class ValueStep(Answer):
    """What something will be worth at one horizon, in the quote currency."""

    horizon: int
    median: float
    interval_90: tuple[float, float]


class HoldingStep(ValueStep):
    """What one holding will be worth."""

    target_time: datetime
    is_baseline: bool = Field(description="No model has passed the gate here; a naive baseline answers.")


class HoldingAnswer(Answer):
    """One pair of a watchlist; values are null where nothing is known, and `reason` says why."""

    symbol: str
    amount: float
    quote: str
    price: float | None
    value: float | None
    change_24h: float | None = Field(description="Share of the value a day ago.")
    change_24h_value: float | None
    cutoff: datetime | None
    stale: bool | None
    steps: tuple[HoldingStep, ...]
    reason: str | None


class TotalStep(ValueStep):
    """What all holdings in one quote currency will be worth."""

    widest_90: tuple[float, float] = Field(
        description="If all prices moved as one: the half-widths simply add up."
    )


class TotalAnswer(Answer):
    """Everything held in one quote currency, and how the pairs were combined."""

    quote: str
    symbols: tuple[str, ...]
    value: float
    change_24h: float | None
    change_24h_value: float | None
    steps: tuple[TotalStep, ...]
    combined_by: str = Field(description="How the intervals of the pairs became one.")
    correlation: tuple[tuple[float, ...], ...] | None = Field(
        description="Of the returns, in the order of `symbols`; null where prices are taken to move as one."
    )


class WatchlistAnswer(MarketAnswer):
    """What a user follows and holds, each by itself and together by quote currency."""

    timeframe: str
    holdings: tuple[HoldingAnswer, ...]
    totals: tuple[TotalAnswer, ...]

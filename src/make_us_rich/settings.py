"""What belongs to this machine: where things lie and how they are reached."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Market = Literal["live", "replay", "simulated"]
Tracking = Literal["none", "mlflow", "wandb"]
SignUp = Literal["open", "invitation", "closed"]


class Settings(BaseSettings):
    """Environment variables with the prefix `MUR_`, or the same names in `.env`; frozen once read."""

    model_config = SettingsConfigDict(env_prefix="MUR_", env_file=".env", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("~/.make-us-rich"), description="Folder that holds everything the desk writes."
    )
    exchange: str = Field(default="binance", description="Default exchange, by its ccxt name.")
    exchange_url: str | None = Field(
        default=None, description="Address that replaces the exchange's own, for a proxy or a mirror."
    )
    alphavantage_key: SecretStr | None = Field(
        default=None, description="Key for the source alphavantage; never logged."
    )
    market: Market | None = Field(default=None, description="Market meant when --market is not given.")
    tracking: Tracking = Field(default="none", description="Who is told about trainings beside the shelf.")
    log_level: str = Field(default="info", description="Least severe level that is logged.")
    stale_limit_hours: float = Field(
        default=48.0, gt=0, description="Age in hours at which old candles are no longer answered from."
    )
    database_url: SecretStr | None = Field(
        default=None, description="sqlite:///FILE or postgresql://…; default: desk.db in the home."
    )
    public_read: bool = Field(default=False, description="Whether reading needs neither a token nor a login.")
    sign_up: SignUp = Field(default="invitation", description="Who may make an account for themselves.")
    secret_key: SecretStr | None = Field(
        default=None, min_length=32, description="Signs cookies; default: a file made in the home."
    )
    monthly_quota: int = Field(default=1_000, ge=0, description="Calls with tokens per user and month.")
    rate_limit_per_minute: int = Field(default=600, ge=1, description="Calls per user, minute and process.")
    trusted_proxies: str = Field(
        default="", description="Addresses whose X-Forwarded headers are believed, separated by commas."
    )
    root_path: str = Field(default="", description="Path under which a proxy offers the API.")
    access_log: bool = Field(default=False, description="Whether every request is logged, without secrets.")

    @property
    def budgets(self) -> Path:
        """The folder of what was asked of sources lately; the markets share it, as they share an address."""
        return self.home.expanduser() / "budgets"

    def market_home(self, market: Market) -> Path:
        """Return the folder of one market; live, replay and simulated never share candles or models."""
        return self.home.expanduser() / market

"""Who asks, as far as it matters for what they may."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "member"]
Scope = Literal["read", "admin"]

ROLES: tuple[Role, ...] = ("admin", "member")
SCOPES: tuple[Scope, ...] = ("read", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who asks, with a token or, where `token_id` is None, from a browser that is logged in."""

    user_id: int
    name: str
    role: Role
    scopes: frozenset[str]
    monthly_quota: int | None = None
    token_id: str | None = None
    session_id: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether this call may administer: a member's token never may, an administrator's if it says so."""
        return self.role == "admin" and "admin" in self.scopes

    @property
    def may_write(self) -> bool:
        """Whether this call may change the user's own things; a token for reading may not."""
        return self.token_id is None or "admin" in self.scopes

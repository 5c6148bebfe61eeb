"""What administrators did: one row each, written in the transaction of the deed itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from make_us_rich.database.engine import Database
from make_us_rich.database.tables import AuditRecord

COMMAND_LINE = "command line"
SIGN_UP = "sign-up"


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does something, and when."""

    actor: str
    at: datetime

    def record(self, session: Session, action: str, subject: str, detail: str = "") -> None:
        """Write down what was done to whom."""
        session.add(
            AuditRecord(at=self.at, actor=self.actor, action=action, subject=subject, detail=detail[:255])
        )


def list_deeds(database: Database, limit: int = 100) -> list[AuditRecord]:
    """Return the last deeds, newest first."""
    with database.read() as session:
        return list(session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc()).limit(limit)))

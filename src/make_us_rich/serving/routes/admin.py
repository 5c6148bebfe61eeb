"""What administrators do: users, invitations, and who used how much. Everything changed is written down."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request, Response

from make_us_rich.accounts.audit import Deed, list_deeds
from make_us_rich.accounts.invitations import invite, list_invitations, withdraw
from make_us_rich.accounts.quota import list_usage, month_of
from make_us_rich.accounts.users import UserChange, add_user, change_user, list_users, reset_user
from make_us_rich.database.tables import Invitation, User
from make_us_rich.serving.account_schemas import (
    DeedAnswer,
    DeedListAnswer,
    InvitationAnswer,
    InvitationListAnswer,
    InvitationOrder,
    LinkAnswer,
    NewInvitationAnswer,
    UsageAnswer,
    UsageListAnswer,
    UserAnswer,
    UserChangeOrder,
    UserListAnswer,
    UserOrder,
)
from make_us_rich.serving.gate import Guard, admin_of
from make_us_rich.serving.needs import ADMIN, needs
from make_us_rich.serving.problems import problem_responses

MonthText = Annotated[
    str | None, Query(description="Like 2024-01; default: this one.", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")
]
InvitationId = Annotated[int, Path(ge=1, le=2**31 - 1)]


def add_admin_routes(app: FastAPI, guard: Guard) -> None:
    """Add the routes of administrators; they ask the database, so they run in worker threads."""
    _add_user_routes(app, guard)
    _add_invitation_routes(app, guard)
    _add_record_routes(app, guard)


def _add_user_routes(app: FastAPI, guard: Guard) -> None:
    access = guard.access

    @app.get("/v1/admin/users", tags=["admin"], responses=problem_responses(503))
    @needs(ADMIN)
    def read_users(request: Request) -> UserListAnswer:
        """List every user."""
        admin_of(request)
        return UserListAnswer(users=tuple(_user_answer(user) for user in list_users(access.database)))

    @app.post("/v1/admin/users", tags=["admin"], status_code=201, responses=problem_responses(422, 503))
    @needs(ADMIN)
    def post_user(request: Request, response: Response, order: UserOrder) -> LinkAnswer:
        """Add a user without a password and answer with the link that lets them in once."""
        deed = _deed(guard, request)
        return _link(response, order.name, add_user(access.database, order.name, order.role, deed))

    @app.patch("/v1/admin/users/{name}", tags=["admin"], responses=problem_responses(404, 422, 503))
    @needs(ADMIN)
    def patch_user(request: Request, name: str, order: UserChangeOrder) -> UserAnswer:
        """Change the role or the quota of a user, or disable them; the last administrator stays."""
        change = UserChange(order.role, order.is_disabled, order.monthly_quota)
        user = change_user(access.database, name, change, _deed(guard, request))
        guard.forget()
        return _user_answer(user)

    @app.post("/v1/admin/users/{name}/reset", tags=["admin"], responses=problem_responses(404, 422, 503))
    @needs(ADMIN)
    def post_reset(request: Request, response: Response, name: str) -> LinkAnswer:
        """Take away a user's password and logins, and answer with a link to set a new one."""
        code = reset_user(access.database, name, _deed(guard, request))
        guard.forget()
        return _link(response, name, code)


def _add_invitation_routes(app: FastAPI, guard: Guard) -> None:
    access = guard.access

    @app.get("/v1/admin/invitations", tags=["admin"], responses=problem_responses(503))
    @needs(ADMIN)
    def read_invitations(request: Request) -> InvitationListAnswer:
        """List every invitation, used ones included."""
        admin_of(request)
        found = list_invitations(access.database)
        return InvitationListAnswer(
            invitations=tuple(InvitationAnswer(**_invitation_fields(one)) for one in found)
        )

    @app.post("/v1/admin/invitations", tags=["admin"], status_code=201, responses=problem_responses(422, 503))
    @needs(ADMIN)
    def post_invitation(request: Request, response: Response, order: InvitationOrder) -> NewInvitationAnswer:
        """Make an invitation to sign up once, within a week."""
        response.headers["Cache-Control"] = "no-store"
        admin = admin_of(request)
        invitation, code = invite(access.database, order.role, admin.user_id, _deed(guard, request))
        return NewInvitationAnswer(
            **_invitation_fields(invitation), code=code, sign_up_path=f"/login?invitation={code}"
        )

    @app.delete(
        "/v1/admin/invitations/{invitation_id}",
        tags=["admin"],
        status_code=204,
        responses=problem_responses(404, 422, 503),
    )
    @needs(ADMIN)
    def delete_invitation(request: Request, invitation_id: InvitationId) -> None:
        """Withdraw an invitation nobody has used."""
        withdraw(access.database, invitation_id, _deed(guard, request))


def _add_record_routes(app: FastAPI, guard: Guard) -> None:
    access = guard.access

    @app.get("/v1/admin/usage", tags=["admin"], responses=problem_responses(422, 503))
    @needs(ADMIN)
    def read_usage(request: Request, month: MonthText = None) -> UsageListAnswer:
        """List how many calls everybody made with tokens in a month."""
        admin_of(request)
        wanted = month or month_of(access.now())
        usage = tuple(
            UsageAnswer(name=name, calls=calls) for name, calls in list_usage(access.database, wanted)
        )
        return UsageListAnswer(month=wanted, usage=usage)

    @app.get("/v1/admin/audit", tags=["admin"], responses=problem_responses(422, 503))
    @needs(ADMIN)
    def read_audit(request: Request, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> DeedListAnswer:
        """List what administrators did last."""
        admin_of(request)
        deeds = list_deeds(access.database, limit)
        return DeedListAnswer(
            deeds=tuple(
                DeedAnswer(
                    at=one.at, actor=one.actor, action=one.action, subject=one.subject, detail=one.detail
                )
                for one in deeds
            )
        )


def _deed(guard: Guard, request: Request) -> Deed:
    return Deed(admin_of(request).name, guard.access.now())


def _link(response: Response, name: str, code: str) -> LinkAnswer:
    response.headers["Cache-Control"] = "no-store"
    return LinkAnswer(name=name.strip().lower(), login_path=f"/login?code={code}")


def _user_answer(user: User) -> UserAnswer:
    return UserAnswer.model_validate(
        {
            "name": user.name,
            "role": user.role,
            "is_disabled": user.disabled_at is not None,
            "has_password": user.password_hash is not None,
            "monthly_quota": user.monthly_quota,
            "created_at": user.created_at,
            "last_login_at": user.last_login_at,
        }
    )


def _invitation_fields(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.id,
        "role": invitation.role,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "used_at": invitation.used_at,
    }

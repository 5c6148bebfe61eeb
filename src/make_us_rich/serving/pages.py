"""The few plain pages of the API: no script, nothing from outside, readable in any browser."""

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Make Us Rich</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 22rem; margin: 12vh auto 0; padding: 0 1rem; }}
label {{ display: block; margin-top: 1rem; }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin-top: .25rem; }}
button {{ margin-top: 1.5rem; cursor: pointer; }}
.problem {{ border-left: .25rem solid #c33; padding-left: .75rem; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""
_NAME = '<label>Name<input name="name" autocomplete="username" maxlength="64" required autofocus></label>'
_WORD_FIELD = (
    '<label>Password<input name="password" type="password" autocomplete="current-password" required></label>'
)
_NEW_WORD_FIELD = (
    '<label>New password, 10 characters or more<input name="password" type="password" minlength="10" '
    'maxlength="256" autocomplete="new-password" required></label>'
)


def login_page(action: str, *, is_open: bool, problem: str | None = None) -> str:
    """Return the page that asks for name and password, and leads to signing up where that is open."""
    page = _form_page("Log in", action, _NAME + _WORD_FIELD, "Log in", problem)
    way = f'<p><a href="{escape(action)}?new=1">Make an account</a></p>' if is_open else ""
    return page.replace("</form>", f"</form>{way}")


def first_login_page(action: str, code: str, name: str, problem: str | None = None) -> str:
    """Return the page a one-time link leads to: it asks for a new password."""
    fields = f"<p>Welcome, {escape(name)}.</p>{_hidden('code', code)}{_NEW_WORD_FIELD}"
    return _form_page("Choose a password", action, fields, "Set password and log in", problem)


def sign_up_page(action: str, invitation: str, problem: str | None = None) -> str:
    """Return the page that makes an account."""
    fields = _hidden("invitation", invitation) + _hidden("new", "1") + _NAME + _NEW_WORD_FIELD
    return _form_page("Make an account", action, fields, "Make the account", problem)


def logout_page(action: str, name: str, word: str) -> str:
    """Return the page that ends a login."""
    fields = f"<p>You are logged in as {escape(name)}.</p>{_hidden('csrf_token', word)}"
    return _form_page("Log out", action, fields, "Log out", None)


def notice_page(title: str, text: str) -> str:
    """Return a page that only says something."""
    return _PAGE.format(title=escape(title), body=f"<p>{escape(text)}</p>")


def _form_page(title: str, action: str, fields: str, button: str, problem: str | None) -> str:
    told = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    form = f'<form method="post" action="{escape(action)}">{fields}<button>{escape(button)}</button></form>'
    return _PAGE.format(title=escape(title), body=told + form)


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'

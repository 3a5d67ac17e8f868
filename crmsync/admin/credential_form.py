"""What a portal's form asks for to connect: the way, and secrets that go in and never come out."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.ledger import credentials
from crmsync.models import choices

Kind = choices.CredentialKind
# Shorter secrets would be given away by their end.
_SHOWN, _LEAST = 4, 16


class SecretInput(forms.PasswordInput):
    """Never shows a value back, and asks browsers not to fill in a login password."""

    def __init__(self) -> None:
        super().__init__(
            attrs={"autocomplete": "new-password", "spellcheck": "false", "size": 60}, render_value=False
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a portal's credential; ``kind`` is blank where there is none."""

    kind: str = ""
    client_id: str = ""
    has_token: bool = False
    has_client_secret: bool = False


def load(portal_id: int | None) -> credentials.Pass | None:
    """The credential of a portal, nothing of it decrypted; None where there is none."""
    return credentials.load(portal_id) if portal_id is not None else None


def stored(one: credentials.Pass | None) -> Stored:
    """What is there, without reading any of it."""
    if one is None:
        return Stored()
    return Stored(one.kind, one.client_id, bool(one.secrets["token"]), bool(one.secrets["client_secret"]))


def hint(one: credentials.Pass | None, name: str) -> object:
    """Whether a secret is stored, told without telling it."""
    if one is None:
        return _("It is stored encrypted and never shown again.")
    try:
        found = one.secret(name)
    except DecryptionError:
        return _("What is stored cannot be decrypted with the present FERNET_KEYS: re-enter the secret.")
    if not found:
        return _("Nothing is stored yet.")
    end = found[-_SHOWN:] if len(found) >= _LEAST else ""
    return _("Stored, ends in …%(end)s. Leave it empty to keep it.") % {"end": end}


def kind_field() -> forms.ChoiceField:
    """The three ways to connect, each with what it is good for."""
    return forms.ChoiceField(
        label=_("How to connect"), choices=_kind_choices, widget=forms.RadioSelect, initial=_first_kind
    )


def token_field() -> forms.CharField:
    return forms.CharField(label=_("Access token"), required=False, max_length=512, widget=SecretInput)


def client_id_field() -> forms.CharField:
    wide = forms.TextInput(attrs={"size": 60, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=_("Client id"), required=False, max_length=100, widget=wide)


def client_secret_field() -> forms.CharField:
    return forms.CharField(label=_("Client secret"), required=False, max_length=512, widget=SecretInput)


def helps() -> dict[str, Callable[[credentials.Pass | None], object]]:
    """The help texts of the inputs, made of what is stored."""
    return {
        "new_token": lambda one: _joined(_TOKEN_HELP, hint(one, "token")),
        "client_id": lambda one: _joined(_CLIENT_ID_HELP, _KNOWN_APP if conf.current().OAUTH_CLIENT_ID else ""),
        "new_client_secret": lambda one: _joined(_SECRET_HELP, hint(one, "client_secret")),
    }


def find_missing(kind: str, entered: dict[str, str], known: Stored, *, is_new: bool) -> dict[str, object]:
    """Which inputs are still needed for this way to connect, with the sentence for each."""
    if kind != Kind.OAUTH:
        needs_token = not entered["new_token"] and (is_new or kind != known.kind)
        return {"new_token": _NEEDS_TOKEN} if needs_token else {}
    if not entered["client_id"] and not known.client_id:
        return {} if conf.current().OAUTH_CLIENT_ID else {"client_id": _NEEDS_APP}
    if not entered["new_client_secret"] and not known.has_client_secret:
        return {"new_client_secret": _NEEDS_SECRET}
    return {}


def _joined(*sentences: object) -> SafeString:
    return format_html("{} {}", *sentences)


def _first_kind() -> str:
    """An app that the settings name is there to be used."""
    return Kind.OAUTH if conf.current().OAUTH_CLIENT_ID else Kind.STATIC


def _kind_choices() -> list[tuple[str, SafeString]]:
    facts = {"seconds": conf.current().POLL_SECONDS}
    return [
        (kind.value, format_html('{} <span class="crmsync-note">{}</span>', kind.label, text % facts))
        for kind, text in _GOOD_FOR.items()
    ]


_GOOD_FOR = {
    Kind.OAUTH: _(
        "You agree on a page of HubSpot, which shows the scopes; tokens are renewed by themselves. Best for a product"
        " with many accounts."
    ),
    Kind.STATIC: _("You copy a token that does not end from the app's page in HubSpot. Best for one account."),
    Kind.SERVICE_KEY: _(
        "You copy a key that belongs to the account. It has no webhooks, so changes in HubSpot are found by polling,"
        " every %(seconds)s seconds."
    ),
}
_TOKEN_HELP = _("Of the app or service key in HubSpot. It is tested with a real call when you save.")
_CLIENT_ID_HELP = _("Of the OAuth app in HubSpot, on its Auth page.")
_KNOWN_APP = _("Not needed here: the app of CRMSYNC['OAUTH_CLIENT_ID'] is used where this is empty.")
_SECRET_HELP = _("Of the same app; webhooks are verified with it.")
_NEEDS_TOKEN = _("Enter the access token.")
_NEEDS_APP = _("Enter the client id of the OAuth app, or set CRMSYNC['OAUTH_CLIENT_ID'].")
_NEEDS_SECRET = _("Enter the client secret of the OAuth app.")

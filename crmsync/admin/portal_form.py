"""The portal's form: secrets go in and never come out; empty keeps what is stored."""

from django import forms
from django.core import validators
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from fernet_fields import DecryptionError

from crmsync.models import Portal

# Shorter secrets would be given away by their end.
_SHOWN, _LEAST = 4, 16


class SecretInput(forms.PasswordInput):
    """Never shows a value back, and asks browsers not to fill in a login password."""

    def __init__(self) -> None:
        super().__init__(
            attrs={"autocomplete": "new-password", "spellcheck": "false", "size": 60}, render_value=False
        )


class PortalForm(forms.ModelForm):
    """``refusal``: why HubSpot did not accept the token that was just tried, set by the page."""

    refusal = ""

    new_token = forms.CharField(label=_("Access token"), required=False, max_length=512, widget=SecretInput)
    new_client_secret = forms.CharField(label=_("Client secret"), required=False, max_length=512, widget=SecretInput)

    class Meta:
        model = Portal
        fields = ["label", "api_version"]
        help_texts = {
            "api_version": _("HubSpot's version such as 2026-09; empty: the one in CRMSYNC['API_VERSION'].")
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if "api_version" in self.fields:
            self.fields["api_version"].validators.append(
                validators.RegexValidator(r"^\d{4}-\d{2}$", _("Write it as year and month, such as 2026-09."))
            )
        for name, column in (("new_token", "token"), ("new_client_secret", "client_secret")):
            if name in self.fields:
                self.fields[name].help_text = format_html("{} {}", _HELP[name], hint(self.instance.pk, column))
        if "new_token" in self.fields:
            self.fields["new_token"].required = self.instance.pk is None

    def clean(self):
        """What HubSpot said of the token belongs beside the token."""
        cleaned = super().clean()
        if self.refusal:
            self.add_error("new_token", self.refusal)
        return cleaned

    def put_secrets(self, portal: Portal) -> list[str]:
        """Set the secrets that were entered; the names of the columns they are in."""
        names = []
        for name, column in (("new_token", "token"), ("new_client_secret", "client_secret")):
            if value := self.cleaned_data.get(name):
                setattr(portal, column, value)
                names.append(column)
        return names


_HELP = {
    "new_token": _("Of the private app or service key in HubSpot. It is tested with a real call when you save."),
    "new_client_secret": _("Of the same app; webhooks are verified with it."),
}


def hint(portal_id: int | None, column: str) -> object:
    """Whether a secret is stored, told without telling it."""
    if portal_id is None:
        return _("It is stored encrypted and never shown again.")
    try:
        stored = Portal.objects.values_list(column, flat=True).get(pk=portal_id)
    except DecryptionError:
        return _("What is stored cannot be decrypted with the present FERNET_KEYS: re-enter the secret.")
    if not stored:
        return _("Nothing is stored yet.")
    end = stored[-_SHOWN:] if len(stored) >= _LEAST else ""
    return _("Stored, ends in …%(end)s. Leave it empty to keep it.") % {"end": end}

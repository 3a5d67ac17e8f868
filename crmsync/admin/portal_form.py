"""The portal's form: its name, how to connect, and what HubSpot needs for that."""

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync import conf
from crmsync.admin import credential_form, support
from crmsync.ledger import credentials
from crmsync.models import Portal, choices

Kind = choices.CredentialKind
# Inputs of the credential, which is another row than the portal's.
CREDENTIAL = ("kind", "new_token", "client_id", "new_client_secret")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a portal's page: where this site is seen, and what the person may do."""

    address: str = ""
    may_connect: bool = False


class PortalForm(forms.ModelForm):
    """``refusal``: why HubSpot did not accept the token that was just tried; ``viewer``: both set by the page."""

    refusal = ""
    viewer = Viewer()

    kind = credential_form.kind_field()
    new_token = credential_form.token_field()
    client_id = credential_form.client_id_field()
    new_client_secret = credential_form.client_secret_field()
    api_version = forms.ChoiceField(label=_("API version"), required=False)

    class Meta:
        model = Portal
        fields = ["label", "service_user", "api_version"]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.instance.viewer = self.viewer
        self._pass = credential_form.load(self.instance.pk)
        self.known = credential_form.stored(self._pass)
        if self.known.kind:
            self.initial |= {"kind": self.known.kind, "client_id": self.known.client_id}
        if "api_version" in self.fields:
            default = _("%(version)s, as the settings say") % {"version": conf.current().API_VERSION}
            self.fields["api_version"].choices = [("", default), *((one, one) for one in support.supported())]
        for name, text in credential_form.helps().items():
            if name in self.fields:
                self.fields[name].help_text = text(self._pass)

    def clean(self):
        """What HubSpot said of the token belongs beside the token."""
        cleaned = super().clean()
        if "kind" in self.fields and cleaned.get("kind"):
            entered = {name: cleaned.get(name, "") for name in CREDENTIAL}
            missing = credential_form.find_missing(
                cleaned["kind"], entered, self.known, is_new=self.instance.pk is None
            )
            for name, text in missing.items():
                if name not in self.errors:
                    self.add_error(name, text)
        if self.refusal:
            self.add_error("new_token", self.refusal)
        return cleaned

    def get_entered(self) -> credentials.Entered:
        """What was entered for the credential; inputs that this way to connect does not use are left out."""
        value, kind = self.cleaned_data.get, self.cleaned_data["kind"]
        return credentials.Entered(
            kind=kind,
            token=value("new_token") if kind != Kind.OAUTH else "",
            client_id=value("client_id") if kind == Kind.OAUTH else "",
            client_secret=value("new_client_secret") if kind != Kind.SERVICE_KEY else "",
        )

    @property
    def has_new_token(self) -> bool:
        """Whether a token is to be tried with HubSpot."""
        return bool("kind" in self.fields and self.get_entered().token)

    @property
    def changes_credential(self) -> bool:
        """Whether anything of the credential was entered."""
        return not set(self.changed_data).isdisjoint(CREDENTIAL)

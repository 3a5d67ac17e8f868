"""The forms of mappings and their rows: each sentence names the field and what would do."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crmsync.admin import catalogue, pairs, policies, widgets
from crmsync.engine import terms
from crmsync.ledger import fieldvalues
from crmsync.models import FieldMapping, Mapping, MatchKey, ValueMapEntry

_NONE = ("", "---------")


_UNSUPPORTED = _(
    "“%(value)s” is not supported. Supported are contacts, companies, deals, tickets and custom objects (2-123456)."
)
_CUSTOM_ID = _(
    "The id of a custom object is written 2-123456. HubSpot's other types, such as emails or quotes, are not"
    " supported; contacts, companies, deals and tickets are in the list above."
)


class MappingForm(forms.ModelForm):
    """``seen_revision``: what the person saw when the form was opened."""

    model_label = forms.ChoiceField(label=_("Django model"), help_text=_("One of CRMSYNC['MODELS']."))
    object_type = forms.ChoiceField(
        label=_("HubSpot object type"), required=False, error_messages={"invalid_choice": _UNSUPPORTED}
    )
    custom_type = forms.RegexField(
        r"^2-\d{1,18}$",
        label=_("or a custom object"),
        required=False,
        help_text=_("Its id such as 2-123456, if the list does not have it yet."),
        error_messages={"invalid": _CUSTOM_ID},
    )
    seen_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Mapping
        fields = [
            "label",
            "portal",
            "model_label",
            "object_type",
            "direction",
            "creates_remote",
            "creates_local",
            "deletes_remote",
            "deletes_local",
            "uses_save",
        ]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if "model_label" in self.fields:
            known = catalogue.model_choices(self.instance.model_label)
            self.fields["model_label"].choices = [_NONE, *known]
        if "object_type" in self.fields:
            known = catalogue.type_choices(self.instance.object_type)
            self.fields["object_type"].choices = [_NONE, *known]
        if "seen_revision" in self.fields:
            self.initial["seen_revision"] = self.instance.revision

    def clean(self):
        """One object type, and nobody else's edit overwritten."""
        cleaned = super().clean()
        if "object_type" in self.fields:
            self._choose_type(cleaned)
        seen = cleaned.get("seen_revision")
        if self.instance.pk and seen is not None and seen != self.instance.revision:
            raise ValidationError(
                _("Somebody else changed this mapping meanwhile. Open it again and repeat your change.")
            )
        return cleaned

    def _choose_type(self, cleaned: dict) -> None:
        typed = cleaned.get("custom_type")
        if typed:
            cleaned["object_type"] = typed
        elif not cleaned.get("object_type") and "custom_type" not in self.errors:
            self.add_error("object_type", _("Choose an object type, or give the id of a custom object."))


class _RowForm(forms.ModelForm):
    """A row that names a Django field and a HubSpot property of its mapping."""

    def __init__(self, *args, known: catalogue.Catalogue | None = None, next_position: int = 0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial["position"] = next_position
        self.known = known or catalogue.Catalogue(self.instance.mapping, is_typed=True)
        for name, widget in (("local", self.known.local_widget), ("remote", self.remote_widget)):
            if name in self.fields:
                self.fields[name].widget = widget
                widget.is_required = self.fields[name].required
        for name, field in self.fields.items():
            if isinstance(field, forms.TypedChoiceField):
                field.widget = widgets.SharedSelect(self.known.options(name, field))
        _name_inputs(self)

    @property
    def datalists(self):
        return self.known.datalists

    def clean_local(self) -> str:
        self.local_field = pairs.check_local(self.known, self.cleaned_data["local"])
        return self.cleaned_data["local"]

    @property
    def remote_widget(self):
        return self.known.remote_widget

    def clean_remote(self) -> str:
        self.remote_property = self.check_remote(self.cleaned_data["remote"])
        return self.cleaned_data["remote"]

    def check_remote(self, name: str):
        return pairs.check_remote(self.known, name)


class FieldMappingForm(_RowForm):
    class Meta:
        model = FieldMapping
        fields = [
            "position",
            "local",
            "remote",
            "direction",
            "write_mode",
            "conflict",
            "blanks",
            "unmapped",
            "default_local",
            "default_remote",
            "movement",
            "throttle_minutes",
            "is_active",
            "note",
        ]

    @property
    def remote_widget(self):
        return self.known.field_widget

    def check_remote(self, name: str):
        return pairs.check_field(self.known, name)

    def clean(self):
        """Both ends together, once each is known by itself."""
        cleaned = super().clean()
        local, remote = getattr(self, "local_field", None), getattr(self, "remote_property", None)
        if local and remote and cleaned.get("is_active") and cleaned.get("direction"):
            row = FieldMapping(local=local.path, remote=remote.name, direction=cleaned["direction"])
            pairs.check_pair(self.known, row, local, remote)
            for name, text in policies.find_faults(self.known, cleaned, local, remote):
                self.add_error(name, text)
        if self.instance.pk is None and remote and "movement" not in self.fields:
            self.instance.movement = fieldvalues.first_movement(remote.name)
        return cleaned


class MatchKeyForm(_RowForm):
    class Meta:
        model = MatchKey
        fields = ["position", "local", "remote", "normaliser"]


class ValueMapForm(forms.ModelForm):
    """``local_values`` and ``remote_values`` are (value, label) of what each end knows; empty where it takes any.

    ``ways`` are the directions of its table. What is written is chosen; what is only read may be typed, because it
    may be an old value.
    """

    class Meta:
        model = ValueMapEntry
        fields = ["direction", "local_value", "remote_value"]

    def __init__(self, *args, local_values=(), remote_values=(), ways=tuple(terms.Direction), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.known = {
            "local_value": frozenset(value for value, _label in local_values),
            "remote_value": frozenset(value for value, _label in remote_values),
        }
        if "direction" in self.fields:
            self.fields["direction"].choices = [(way.value, _(way.label)) for way in ways]
            if self.instance.pk is None:
                self.initial["direction"] = ways[0]
        self._offer("local_value", local_values, is_written=ways == (terms.Direction.PULL,))
        self._offer("remote_value", remote_values, is_written=ways != (terms.Direction.PULL,))
        _name_inputs(self)

    def _offer(self, name: str, values, *, is_written: bool) -> None:
        if name not in self.fields or not values:
            return
        if is_written:
            self.fields[name].widget = widgets.SharedSelect(widgets.Options(values))
        else:
            self.fields[name].widget = widgets.SuggestInput(widgets.Datalist(f"crmsync-{name}", values))
        self.fields[name].widget.is_required = self.fields[name].required

    def clean(self):
        """The value that is written must be one that side knows; what is only read may be an old one."""
        cleaned = super().clean()
        direction = terms.Direction(cleaned.get("direction") or terms.Direction.BOTH)
        written = [("remote_value", direction.pushes), ("local_value", direction.pulls)]
        for name, is_written in written:
            value, known = cleaned.get(name), self.known[name]
            if is_written and value and known and value not in known:
                text = _("“%(value)s” is not one of: %(known)s.")
                self.add_error(name, text % {"value": value, "known": ", ".join(sorted(known))})
        return cleaned


def _name_inputs(form: forms.ModelForm) -> None:
    """Inputs in the rows of a table have no label of their own; whoever hears the page needs one."""
    for field in form.fields.values():
        field.widget.attrs.setdefault("aria-label", field.label)

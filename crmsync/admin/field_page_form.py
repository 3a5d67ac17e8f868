"""The form of a field mapping on a page of its own: judged against the other rows of its mapping."""

from django.utils.translation import gettext_lazy as _

from crmsync.admin import forms, formsets
from crmsync.models import FieldMapping


class FieldPageForm(forms.FieldMappingForm):
    """A row by itself; on the mapping's page the rows are judged together."""

    class Meta(forms.FieldMappingForm.Meta):
        help_texts = {
            "local": _(
                "Several fields become one value with + between them, such as kind+status: see “Combine fields”."
            )
        }

    def __init__(self, *args, **kwargs) -> None:
        """The defaults are chosen among what the lines of the value map are."""
        super().__init__(*args, **kwargs)
        for name, listed in (("default_local", "local_value"), ("default_remote", "remote_value")):
            if name in self.fields:
                self.fields[name].widget.attrs.update({"list": f"crmsync-{listed}", "autocomplete": "off"})

    def clean(self):
        cleaned = super().clean()
        if not self.errors and cleaned.get("is_active"):
            names = ("local", "remote", "direction", "is_active")
            row = FieldMapping(pk=self.instance.pk, **{name: cleaned[name] for name in names})
            for text in formsets.find_rivals(self.instance.mapping, [row]):
                self.add_error(None, text)
        return cleaned

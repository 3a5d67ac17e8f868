"""Inputs for fields and properties: a <select> whose options are rendered once for many rows, or a text input with
suggestions where rows times options would make the page too big."""

from collections.abc import Iterable

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join, html_safe
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crmsync.engine import combined

Choice = tuple[str, str]


class Options:
    """Escaped <option> elements of (value, label) pairs, joined once."""

    def __init__(self, pairs: Iterable[Choice], *, has_blank: bool = True) -> None:
        self.pairs = list(pairs)
        self.has_blank = has_blank
        self._parts = {
            value: format_html('<option value="{}">{}</option>', value, label) for value, label in self.pairs
        }
        self._all = "".join(self._parts.values())

    def __len__(self) -> int:
        return len(self.pairs)

    def html(self, chosen: str) -> SafeString:
        """All options with one chosen; an unknown value stays visible, because it is what is stored."""
        if chosen and chosen not in self._parts:
            remark = "" if combined.is_combined(chosen) else _("(not found)")
            lost = format_html('<option value="{0}" selected>{0} {1}</option>', chosen, remark)
            return mark_safe(lost + self._all)
        blank = self._blank(is_chosen=not chosen)
        if not chosen:
            return mark_safe(blank + self._all)
        part = self._parts[chosen]
        marked = part.replace("<option ", "<option selected ", 1)
        return mark_safe(blank + self._all.replace(part, marked, 1))

    def _blank(self, *, is_chosen: bool) -> str:
        if not self.has_blank:
            return ""
        return format_html('<option value=""{}>---------</option>', mark_safe(" selected" if is_chosen else ""))


class SharedSelect(forms.Widget):
    """A <select> of shared options."""

    def __init__(self, options: Options, attrs: dict[str, str] | None = None) -> None:
        super().__init__(attrs)
        self.options = options

    def __deepcopy__(self, memo):
        """Rows share the options."""
        return type(self)(self.options, dict(self.attrs))

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        final = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(final), self.options.html(value or ""))


@html_safe
class Datalist:
    """Suggestions that text inputs of one page refer to by ``id``."""

    def __init__(self, id: str, pairs: Iterable[Choice]) -> None:
        self.id = id
        self.pairs = list(pairs)

    def __str__(self) -> str:
        inner = format_html_join("", '<option value="{}">{}</option>', self.pairs)
        return format_html('<datalist id="{}">{}</datalist>', self.id, inner)


class SuggestInput(forms.TextInput):
    """A text input with suggestions."""

    def __init__(self, datalist: Datalist) -> None:
        super().__init__(attrs={"list": datalist.id, "autocomplete": "off", "spellcheck": "false"})


def name_deletion(form: forms.BaseForm) -> None:
    """The box that deletes a row of a table has its label in the head only; whoever hears the page needs one."""
    if "DELETE" in form.fields:
        form.fields["DELETE"].widget.attrs["aria-label"] = _("Delete this row when the form is saved")

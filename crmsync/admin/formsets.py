"""The rows of a mapping as one set: they share what can be chosen, and must not write over each other."""

from collections.abc import Iterable
from functools import cached_property

from django import forms
from django.db import models

from crmsync.admin import catalogue, members, pairs, widgets
from crmsync.engine import terms
from crmsync.models import FieldMapping, Mapping


class _RowField(forms.ModelChoiceField):
    """The hidden id of a row, looked up among those that were read; Django would ask for each by a query."""

    def __init__(self, rows: dict[str, models.Model], like: forms.ModelChoiceField) -> None:
        super().__init__(like.queryset, initial=like.initial, required=False, widget=forms.HiddenInput)
        self.rows = rows

    def to_python(self, value):
        if value in self.empty_values:
            return None
        key = str(value.pk if isinstance(value, models.Model) else value)
        if key not in self.rows:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return self.rows[key]


class RowSet(forms.BaseInlineFormSet):
    """Rows of a mapping; the mapping has the values just posted, because its form was read first."""

    @cached_property
    def known(self) -> catalogue.Catalogue:
        return catalogue.of(self.instance, self.total_form_count() + 1)

    @property
    def datalists(self):
        return self.known.datalists

    @cached_property
    def next_position(self) -> int:
        """New rows come after those there are."""
        return max((row.position for row in self.get_queryset()), default=-1) + 1

    @cached_property
    def _rows(self) -> dict[str, models.Model]:
        return {str(row.pk): row for row in self.get_queryset()}

    def _construct_form(self, i, **kwargs):
        """Cells of a row ask its mapping; Django sets only the id, and would read the mapping for each row."""
        form = super()._construct_form(i, **kwargs)
        form.instance.mapping = self.instance
        return form

    def add_fields(self, form, index) -> None:
        super().add_fields(form, index)
        form.fields["id"] = _RowField(self._rows, form.fields["id"])
        widgets.name_deletion(form)

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "known": self.known, "next_position": self.next_position}


class FieldMappingSet(RowSet):
    def clean(self) -> None:
        """Also rows that this form does not show (see LargeFieldMappingInline)."""
        super().clean()
        if any(self.errors):
            return
        rows = [f.instance for f in self.forms if f.instance.local and f not in self.deleted_forms]
        problems = find_rivals(self.instance, rows, [form.instance for form in self.deleted_forms])
        if problems:
            raise forms.ValidationError(problems)


class AddedFieldsSet(FieldMappingSet):
    """New rows of a mapping that has more than the form shows."""

    @cached_property
    def next_position(self) -> int:
        last = FieldMapping.objects.filter(mapping=self.instance).aggregate(last=models.Max("position"))["last"]
        return 0 if last is None else last + 1


def find_rivals(mapping: Mapping, rows: Iterable[FieldMapping], gone: Iterable[FieldMapping] = ()) -> list[str]:
    """What these rows, with the mapping's stored ones, write that another row or a fixed value writes, too."""
    rows = list(rows)
    if mapping.pk:
        seen = {row.pk for row in (*rows, *gone) if row.pk}
        rows += FieldMapping.objects.filter(mapping=mapping).exclude(pk__in=seen)
    problems = pairs.check_targets(terms.Direction(mapping.direction), [row for row in rows if row.is_active])
    if mapping.pk:
        problems += members.find_clashes(mapping, mapping.fixed_values.all(), rows)
    return problems


class ValueMapSet(forms.BaseInlineFormSet):
    """Lines of a field's value map, of one of its two tables: values that each end knows."""

    ways: tuple[terms.Direction, ...] = (terms.Direction.BOTH, terms.Direction.PUSH)

    def get_queryset(self):
        return super().get_queryset().filter(direction__in=self.ways)

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), **self._values, "ways": self.ways}

    @property
    def datalists(self):
        """What the inputs of both tables refer to."""
        pairs = (("local_value", "local_values"), ("remote_value", "remote_values"))
        return [widgets.Datalist(f"crmsync-{name}", self._values[key]) for name, key in pairs if self._values[key]]

    @cached_property
    def _values(self) -> dict[str, list[widgets.Choice]]:
        known = catalogue.Catalogue(self.instance.mapping)
        return {
            "local_values": known.local_values(self.instance.local),
            "remote_values": known.remote_values(self.instance.remote),
        }


class PullValueMapSet(ValueMapSet):
    ways = (terms.Direction.PULL,)

"""The rows of a mapping as one set: they share what can be chosen, and must not write over each other."""

from functools import cached_property

from django import forms
from django.db import models

from crmsync.admin import catalogue, pairs
from crmsync.engine import terms
from crmsync.models import FieldMapping, Mapping


class RowSet(forms.BaseInlineFormSet):
    """Rows of a mapping; the mapping has the values just posted, because its form was read first."""

    @cached_property
    def known(self) -> catalogue.Catalogue:
        return catalogue.Catalogue(self.instance, rows=self.total_form_count() + 1)

    @property
    def datalists(self):
        return self.known.datalists

    @cached_property
    def next_position(self) -> int:
        """New rows come after those there are."""
        rows = self.model._default_manager.filter(mapping=self.instance) if self.instance.pk else None
        last = rows.aggregate(last=models.Max("position"))["last"] if rows is not None else None
        return 0 if last is None else last + 1

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "known": self.known, "next_position": self.next_position}


class FieldMappingSet(RowSet):
    def clean(self) -> None:
        """Also rows that this form does not show (see LargeFieldMappingInline)."""
        super().clean()
        if any(self.errors):
            return
        rows = [f.instance for f in self.forms if f.instance.local and f not in self.deleted_forms]
        pks = {form.instance.pk for form in self.forms if form.instance.pk}
        if self.instance.pk:
            rows += FieldMapping.objects.filter(mapping=self.instance).exclude(pk__in=pks)
        whole = terms.Direction(self.instance.direction)
        problems = pairs.check_targets(whole, [row for row in rows if row.is_active])
        if problems:
            raise forms.ValidationError(problems)


class ConditionSet(forms.BaseInlineFormSet):
    """Conditions of a rule: fields of its mapping."""

    @cached_property
    def known(self) -> catalogue.Catalogue:
        return catalogue.Catalogue(self.instance.mapping if self.instance.mapping_id else Mapping())

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "known": self.known}


class ValueMapSet(forms.BaseInlineFormSet):
    """Lines of a field's value map: values that each end knows."""

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), **self._values}

    @cached_property
    def _values(self) -> dict[str, frozenset[str]]:
        known = catalogue.Catalogue(self.instance.mapping)
        return {
            "local_values": frozenset(value for value, _ in known.local_values(self.instance.local)),
            "remote_values": frozenset(value for value, _ in known.remote_values(self.instance.remote)),
        }

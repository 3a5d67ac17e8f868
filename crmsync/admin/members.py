"""The forms of what decides which records take part: conditions of rules, and fixed values."""

from collections.abc import Iterable
from functools import cached_property

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.admin import catalogue, pairs, widgets
from crmsync.engine import rules, terms, typed
from crmsync.ledger import book, fixed, specs
from crmsync.models import FieldMapping, FixedValue, Mapping, RuleCondition, SyncRule

_ENDS, _VALUES = "crmsync-ends", "crmsync-known-values"
_SEVERAL = gettext_lazy("“Is one of” and “is none of” take several, with ; between them. Stages are given by id.")
# Suggestions for rows whose field is not chosen yet: more are of no help.
_MOST_VALUES = 500


class _EndForm(forms.ModelForm):
    """A row that names a field of one side, and a value of it."""

    def __init__(self, *args, known: catalogue.Catalogue, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self._suggest("field", _ENDS)
        values = list_id(self.instance) if known_values(known, self.instance.side, self.instance.field) else _VALUES
        self._suggest("value", values)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", field.label)

    def _suggest(self, name: str, list_id: str) -> None:
        if name in self.fields:
            self.fields[name].widget.attrs.update({"list": list_id, "autocomplete": "off", "spellcheck": "false"})

    def clean_value(self) -> str:
        return (self.cleaned_data.get("value") or "").strip()

    def find_end(self, cleaned: dict) -> tuple[typed.Kind | None, frozenset[str]] | None:
        """The type and the values of the field that is named; None, with an error beside it, where there is none."""
        side, name = cleaned.get("side"), cleaned.get("field")
        if not side or not name:
            return None
        try:
            kind = _find_kind(self.known, side, name)
        except ValidationError as error:
            self.add_error("field", error)
            return None
        return kind, frozenset(value for value, _label in known_values(self.known, side, name) if value)


class RuleConditionForm(_EndForm):
    class Meta:
        model = RuleCondition
        fields = ["group", "side", "field", "operator", "value"]
        help_texts = {"value": _SEVERAL}

    def clean(self):
        cleaned = super().clean()
        end = self.find_end(cleaned)
        if end and cleaned.get("operator"):
            fault = typed.find_condition_fault(terms.Operator(cleaned["operator"]), cleaned.get("value") or "", *end)
            if fault:
                self.add_error("value", fault)
        return cleaned


class FixedValueForm(_EndForm):
    class Meta:
        model = FixedValue
        fields = ["side", "field", "value", "decides"]

    def clean(self):
        cleaned = super().clean()
        end = self.find_end(cleaned)
        if end and cleaned.get("value"):
            fault = typed.find_value_fault(cleaned["value"], *end)
            if fault:
                self.add_error("value", fault)
            elif not self._is_writable(cleaned["side"], cleaned["field"]):
                self.add_error("field", _("It cannot be written there, so new records cannot get the value."))
        return cleaned

    def _is_writable(self, side: str, name: str) -> bool:
        whole = terms.Direction(self.known.mapping.direction)
        if side == terms.SideName.LOCAL:
            found = pairs.check_local(self.known, name)
            return not whole.pulls or found is None or found.is_writable
        row = pairs.check_remote(self.known, name)
        return not whole.pushes or row is None or not row.is_read_only


class _EndSet(forms.BaseInlineFormSet):
    """Rows that share what can be named."""

    @cached_property
    def known(self) -> catalogue.Catalogue:
        return catalogue.of(self.get_mapping())

    def get_mapping(self) -> Mapping:
        raise NotImplementedError

    def add_fields(self, form, index) -> None:
        super().add_fields(form, index)
        widgets.name_deletion(form)

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "known": self.known}

    @property
    def datalists(self) -> list[widgets.Datalist]:
        """The fields of both sides, the values of fields that rows name already, and some of all; nothing before
        model and object type are chosen."""
        if not self.known.is_chosen:
            return []
        named = {list_id(form.instance): form.instance for form in self.forms if form.instance.pk}
        own = [widgets.Datalist(name, known_values(self.known, one.side, one.field)) for name, one in named.items()]
        return [
            widgets.Datalist(_ENDS, _ends(self.known)),
            widgets.Datalist(_VALUES, _values(self.known)),
            *(one for one in own if one.pairs),
        ]


class ConditionSet(_EndSet):
    """Conditions of a rule: fields of its mapping."""

    def get_mapping(self) -> Mapping:
        return self.instance.mapping if self.instance.mapping_id else Mapping()


class FixedSet(_EndSet):
    """Fixed values of a mapping; it has the values just posted, because its form was read first."""

    def get_mapping(self) -> Mapping:
        return self.instance

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        rows = [one.instance for one in self.forms if one.instance.field and one not in self.deleted_forms]
        fields = FieldMapping.objects.filter(mapping=self.instance, is_active=True) if self.instance.pk else ()
        problems = find_clashes(self.instance, rows, fields)
        one = self.instance
        stage = fixed.find_stage_fault(one.portal_id, one.object_type, rows) if one.portal_id else None
        if problems or stage:
            raise forms.ValidationError([*problems, *([stage] if stage else [])])


def find_clashes(mapping: Mapping, rows: Iterable[FixedValue], fields: Iterable[FieldMapping]) -> list[str]:
    """Fixed values that a field mapping writes, too."""
    fields = list(fields)
    found = (fixed.find_writer_fault(mapping.direction, one, fields) for one in rows)
    return [one for one in found if one]


def known_values(known: catalogue.Catalogue, side: str, name: str) -> list[widgets.Choice]:
    """(value, label) of a field's choices or options; none where it takes anything."""
    if not name:
        return []
    return known.local_values(name) if side == terms.SideName.LOCAL else known.remote_values(name)


def list_id(one: RuleCondition | FixedValue) -> str:
    """The id of the suggestions for a row's field."""
    return f"{_VALUES}-{one.side}-{one.field}"


def say(rule: SyncRule) -> str:
    """A rule in words, its groups in brackets: (a and b) or (c)."""
    words = {terms.Join.ALL: _(" and "), terms.Join.ANY: _(" or ")}
    groups: dict[int, list[str]] = {}
    for one in rule.conditions.all():
        said = rules.say_operator(terms.Operator(one.operator), one.value)
        groups.setdefault(one.group, []).append(f"{one.get_side_display()} {one.field} {said}")
    parts = [words[terms.Join(rule.join)].join(group) for group in groups.values()]
    return parts[0] if len(parts) == 1 else words[terms.Join(rule.groups_join)].join(f"({one})" for one in parts)


def _find_kind(known: catalogue.Catalogue, side: str, name: str) -> typed.Kind | None:
    if side == terms.SideName.LOCAL:
        local = pairs.check_local(known, name)
        return local.local_type if local else None
    row = pairs.check_remote(known, name)
    try:
        return book.remote_type(row) if row else None
    except specs.SpecError as error:
        raise ValidationError(str(error)) from error


def _ends(known: catalogue.Catalogue) -> list[widgets.Choice]:
    ours = [(path, f"{_(terms.SideName.LOCAL.label)}: {label}") for path, label in known.local_pairs]
    return ours + [(name, f"{_(terms.SideName.REMOTE.label)}: {label}") for name, label in known.remote_pairs]


def _values(known: catalogue.Catalogue) -> list[widgets.Choice]:
    """Values of fields that have few of them, each with its field's name: pipelines and stages, then our own choices,
    then HubSpot's options."""
    staged = [name for pair in fixed.PIPELINE_OF.items() for name in pair if name in known.remote]
    found = [(value, f"{name}: {label}") for name in staged for value, label in known.remote_values(name)]
    for path, _label in known.local_pairs:
        found += [(value, f"{path}: {label}") for value, label in known.local_values(path) if value]
    for name, row in known.remote.items():
        found += [(str(one[0]), f"{name}: {one[1]}") for one in row.options if name not in staged]
    return found[:_MOST_VALUES]

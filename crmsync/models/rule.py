"""SyncRule and RuleCondition: conditions that let records into a mapping."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, mapping


class SyncRule(models.Model):
    """Gates creation in its direction, and updates too when told so; all active rules must pass."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="rules", verbose_name=_("mapping")
    )
    name = models.CharField(_("name"), max_length=100)
    direction = models.CharField(
        _("direction"), max_length=10, choices=choices.of(terms.Direction), default=terms.Direction.BOTH
    )
    join = models.CharField(
        _("conditions of a group are joined by"), max_length=5, choices=choices.of(terms.Join), default=terms.Join.ALL
    )
    groups_join = models.CharField(
        _("groups are joined by"), max_length=5, choices=choices.of(terms.Join), default=terms.Join.ANY
    )
    gates_updates = models.BooleanField(_("also gate updates"), default=False)
    unlinks = models.BooleanField(
        _("unlink when it stops matching"),
        default=False,
        help_text=_("Both records stay; they are linked again when the record matches again."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("sync rule")
        verbose_name_plural = _("sync rules")
        ordering = ["mapping", "id"]

    def __str__(self) -> str:
        return self.name


class RuleCondition(models.Model):
    """One line of a rule: a field of either side, an operator, a value."""

    rule = models.ForeignKey(SyncRule, on_delete=models.CASCADE, related_name="conditions", verbose_name=_("rule"))
    group = models.PositiveSmallIntegerField(_("group"), default=1)
    side = models.CharField(_("side"), max_length=10, choices=choices.of(terms.SideName))
    field = models.CharField(_("field or property"), max_length=200)
    operator = models.CharField(_("operator"), max_length=20, choices=choices.of(terms.Operator))
    value = models.CharField(_("value"), max_length=500, default="", blank=True)

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["rule", "group", "id"]

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.value}".strip()

"""ValueMapEntry: which local value stands for which HubSpot value, each direction its own rows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, mapping


class ValueMapEntry(models.Model):
    """One line of a field's value map. ``both`` stands for one line in each direction's table."""

    field = models.ForeignKey(
        mapping.FieldMapping, on_delete=models.CASCADE, related_name="value_map", verbose_name=_("field mapping")
    )
    direction = models.CharField(
        _("direction"), max_length=10, choices=choices.of(terms.Direction), default=terms.Direction.BOTH
    )
    local_value = models.CharField(_("Django value"), max_length=200)
    remote_value = models.CharField(_("HubSpot value"), max_length=200)

    class Meta:
        verbose_name = _("value map entry")
        verbose_name_plural = _("value map entries")
        ordering = ["field", "id"]

    def __str__(self) -> str:
        return f"{self.local_value} ↔ {self.remote_value}"

"""Reader: which mappings a save of one model concerns; derived from the mappings, never entered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import mapping


class Reader(models.Model):
    """A mapping that looks at rows of ``target_label``: at its own, or along the foreign keys of ``via``."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="readers", verbose_name=_("mapping"), db_index=False
    )
    target_label = models.CharField(_("model that is saved"), max_length=150, help_text=_("In lower case."))
    via = models.CharField(
        _("read along"), max_length=200, default="", blank=True, help_text=_("Empty: the mapping's own model.")
    )

    class Meta:
        verbose_name = _("reader")
        verbose_name_plural = _("readers")
        ordering = ["mapping", "target_label", "via"]
        constraints = [models.UniqueConstraint(fields=["mapping", "target_label", "via"], name="crmsync_reader_once")]
        indexes = [models.Index(fields=["target_label"], name="crmsync_reader_target")]

    def __str__(self) -> str:
        return f"{self.mapping_id}: {self.target_label} {self.via}".rstrip()

"""Mapping and FieldMapping: which model goes with which object type, and which fields flow where."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, portal


class Mapping(models.Model):
    """A local model <-> a HubSpot object type in one portal. ``revision`` grows with every edit.

    ``version_of``: the started mapping of which this one is a new version; it never runs by itself.
    """

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.PROTECT, related_name="mappings", verbose_name=_("portal")
    )
    label = models.CharField(_("name"), max_length=100, unique=True)
    model_label = models.CharField(
        _("Django model"), max_length=150, help_text=_("app_label.Model, one of CRMSYNC['MODELS'].")
    )
    object_type = models.CharField(
        _("HubSpot object type"), max_length=60, help_text=_("contacts, companies, deals, tickets or 2-…")
    )
    direction = models.CharField(
        _("direction"), max_length=10, choices=choices.of(terms.Direction), default=terms.Direction.BOTH
    )
    state = models.CharField(
        _("state"), max_length=10, choices=choices.of(terms.MappingState), default=terms.MappingState.DRAFT
    )
    creates_remote = models.BooleanField(_("create missing records in HubSpot"), default=True)
    creates_local = models.BooleanField(_("create missing records in Django"), default=True)
    deletes_remote = models.CharField(
        _("when the Django record is deleted"),
        max_length=10,
        choices=choices.of(terms.DeletePolicy),
        default=terms.DeletePolicy.UNLINK,
    )
    deletes_local = models.CharField(
        _("when the HubSpot record is deleted"),
        max_length=10,
        choices=choices.of(terms.DeletePolicy),
        default=terms.DeletePolicy.UNLINK,
    )
    uses_save = models.BooleanField(
        _("write through save()"),
        default=True,
        help_text=_("On: save() and signals run for every record. Off: new rows are made by faster bulk statements."),
    )
    is_provisioned = models.BooleanField(_("key property is in HubSpot"), default=False, editable=False)
    problem = models.TextField(_("problem"), default="", blank=True, editable=False)
    problem_code = models.CharField(_("problem word"), max_length=60, default="", blank=True, editable=False)
    held = models.CharField(
        _("held back"), max_length=4, choices=choices.Held, default=choices.Held.NONE, blank=True, editable=False
    )
    locked_by = models.CharField(_("kept in the file"), max_length=300, default="", blank=True, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    version_of = models.OneToOneField(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="version",
        verbose_name=_("version of"),
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("mapping")
        verbose_name_plural = _("mappings")
        ordering = ["portal", "label"]
        indexes = [
            models.Index(fields=["model_label", "state"], name="crmsync_mapping_model"),
            models.Index(fields=["portal", "object_type"], name="crmsync_mapping_type"),
        ]
        permissions = [
            ("operate_sync", "Can start, retry and stop sync work"),
            ("approve_mapping", "Can approve mappings"),
        ]

    def __str__(self) -> str:
        return self.label


class FixedValue(models.Model):
    """A value that every record of a mapping has on one side, such as a pipeline or a kind; new records get it.

    With ``decides``, records that have another value belong to another mapping and are left alone.
    """

    mapping = models.ForeignKey(
        Mapping, on_delete=models.CASCADE, related_name="fixed_values", verbose_name=_("mapping")
    )
    side = models.CharField(_("side"), max_length=10, choices=choices.of(terms.SideName))
    field = models.CharField(_("field or property"), max_length=200)
    value = models.CharField(_("value"), max_length=500)
    decides = models.BooleanField(
        _("records with another value do not belong here"),
        default=True,
        help_text=_("Off: the value is only given to new records, such as the first stage of a deal."),
    )

    class Meta:
        verbose_name = _("fixed value")
        verbose_name_plural = _("fixed values")
        ordering = ["mapping", "side", "field", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "side", "field"], name="crmsync_fixedvalue_once")]

    def __str__(self) -> str:
        return f"{self.field} = {self.value}"


class FieldMapping(models.Model):
    """One local path <-> one property."""

    mapping = models.ForeignKey(Mapping, on_delete=models.CASCADE, related_name="fields", verbose_name=_("mapping"))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    local = models.CharField(_("Django field"), max_length=150)
    remote = models.CharField(_("HubSpot property"), max_length=200)
    direction = models.CharField(
        _("direction"), max_length=10, choices=choices.of(terms.Direction), default=terms.Direction.BOTH
    )
    write_mode = models.CharField(
        _("write mode"), max_length=10, choices=choices.of(terms.WriteMode), default=terms.WriteMode.OVERWRITE
    )
    conflict = models.CharField(
        _("when both changed"),
        max_length=20,
        choices=choices.of(terms.ConflictPolicy),
        default=terms.ConflictPolicy.PREFER_HUBSPOT,
    )
    blanks = models.CharField(
        _("blanks"), max_length=10, choices=choices.of(terms.BlankPolicy), default=terms.BlankPolicy.KEEP
    )
    unmapped = models.CharField(
        _("values that are not mapped"),
        max_length=10,
        choices=choices.of(terms.UnmappedPolicy),
        default=terms.UnmappedPolicy.HOLD,
    )
    default_local = models.CharField(_("default in Django"), max_length=200, default="", blank=True)
    default_remote = models.CharField(_("default in HubSpot"), max_length=200, default="", blank=True)
    movement = models.CharField(
        _("may move"), max_length=12, choices=choices.of(terms.Movement), default=terms.Movement.ANY
    )
    throttle_minutes = models.PositiveIntegerField(
        _("at most once in … minutes"),
        default=0,
        help_text=_("For values that change all the time: alone they are sent this seldom. 0: at once."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    note = models.CharField(_("note"), max_length=300, default="", blank=True)

    class Meta:
        verbose_name = _("field mapping")
        verbose_name_plural = _("field mappings")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["mapping", "local", "remote"], name="crmsync_fieldmapping_once")
        ]

    def __str__(self) -> str:
        return f"{self.local} ↔ {self.remote}"


class MatchKey(models.Model):
    """A pair of fields whose equal values make two unlinked records partners; tried in order."""

    mapping = models.ForeignKey(
        Mapping, on_delete=models.CASCADE, related_name="match_keys", verbose_name=_("mapping")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    local = models.CharField(_("Django field"), max_length=150)
    remote = models.CharField(_("HubSpot property"), max_length=200)
    normaliser = models.CharField(
        _("compare"), max_length=10, choices=choices.of(terms.Normaliser), default=terms.Normaliser.TRIMMED
    )

    class Meta:
        verbose_name = _("match key")
        verbose_name_plural = _("match keys")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.local} = {self.remote}"

"""What was discovered in a portal: object types, properties, pipelines, association labels, validation rules."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import portal


class RemoteProperty(models.Model):
    """A HubSpot property as last discovered, archived ones too; ``options`` is a list of [value, label]."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="properties", verbose_name=_("portal")
    )
    object_type = models.CharField(_("object type"), max_length=60)
    name = models.CharField(_("name"), max_length=200)
    label = models.CharField(_("label"), max_length=300, default="", blank=True)
    description = models.TextField(_("description"), default="", blank=True)
    group = models.CharField(_("group"), max_length=200, default="", blank=True)
    type = models.CharField(_("type"), max_length=40)
    field_type = models.CharField(_("field type"), max_length=40, default="", blank=True)
    options = models.JSONField(_("options"), default=list, blank=True)
    is_read_only = models.BooleanField(_("read-only"), default=False)
    is_unique = models.BooleanField(_("unique"), default=False)
    is_hidden = models.BooleanField(_("hidden"), default=False)
    has_external_options = models.BooleanField(_("options elsewhere"), default=False)
    referenced_object_type = models.CharField(_("refers to"), max_length=60, default="", blank=True)
    is_calculated = models.BooleanField(_("calculated"), default=False)
    is_archived = models.BooleanField(_("archived"), default=False)
    sensitivity = models.CharField(_("sensitivity"), max_length=30, default="", blank=True)

    class Meta:
        verbose_name = _("HubSpot property")
        verbose_name_plural = _("HubSpot properties")
        ordering = ["portal", "object_type", "label", "name"]
        constraints = [
            models.UniqueConstraint(fields=["portal", "object_type", "name"], name="crmsync_remoteproperty_once")
        ]

    def __str__(self) -> str:
        return f"{self.object_type}.{self.name}"


class RemotePipeline(models.Model):
    """A pipeline as last discovered; ``stages`` is a list of [stage id, label]."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="pipelines", verbose_name=_("portal")
    )
    object_type = models.CharField(_("object type"), max_length=60)
    pipeline_id = models.CharField(_("pipeline id"), max_length=100)
    label = models.CharField(_("label"), max_length=300, default="", blank=True)
    stages = models.JSONField(_("stages"), default=list, blank=True)

    class Meta:
        verbose_name = _("HubSpot pipeline")
        verbose_name_plural = _("HubSpot pipelines")
        ordering = ["portal", "object_type", "label"]
        constraints = [
            models.UniqueConstraint(fields=["portal", "object_type", "pipeline_id"], name="crmsync_pipeline_once")
        ]

    def __str__(self) -> str:
        return self.label or self.pipeline_id


class RemoteObjectType(models.Model):
    """A custom object type as last discovered; ``required`` is a list of property names."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="object_types", verbose_name=_("portal")
    )
    object_type = models.CharField(_("object type"), max_length=60)
    name = models.CharField(_("name"), max_length=200)
    label = models.CharField(_("label"), max_length=200, default="", blank=True)
    plural = models.CharField(_("plural"), max_length=200, default="", blank=True)
    display_property = models.CharField(_("shown by"), max_length=200, default="", blank=True)
    required = models.JSONField(_("required"), default=list, blank=True)

    class Meta:
        verbose_name = _("HubSpot object type")
        verbose_name_plural = _("HubSpot object types")
        ordering = ["portal", "label"]
        constraints = [models.UniqueConstraint(fields=["portal", "object_type"], name="crmsync_objecttype_once")]

    def __str__(self) -> str:
        return self.label or self.name


class RemoteLabel(models.Model):
    """A type of association as last discovered, in one direction of a pair of object types."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="labels", verbose_name=_("portal")
    )
    object_type = models.CharField(_("from"), max_length=60)
    to_type = models.CharField(_("to"), max_length=60)
    key = models.CharField(_("category and type id"), max_length=60)
    label = models.CharField(_("label"), max_length=200, default="", blank=True)

    class Meta:
        verbose_name = _("HubSpot association label")
        verbose_name_plural = _("HubSpot association labels")
        ordering = ["portal", "object_type", "to_type", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["portal", "object_type", "to_type", "key"], name="crmsync_remotelabel_once"
            )
        ]

    def __str__(self) -> str:
        return self.label or self.key


class RemoteRule(models.Model):
    """What HubSpot demands of a property's value on a write, as last discovered; ``facts`` are HubSpot's own."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="remote_rules", verbose_name=_("portal")
    )
    object_type = models.CharField(_("object type"), max_length=60)
    key = models.CharField(_("property and kind"), max_length=300)
    facts = models.JSONField(_("rule"), default=dict, blank=True)

    class Meta:
        verbose_name = _("HubSpot validation rule")
        verbose_name_plural = _("HubSpot validation rules")
        ordering = ["portal", "object_type", "key"]
        constraints = [
            models.UniqueConstraint(fields=["portal", "object_type", "key"], name="crmsync_remoterule_once")
        ]

    def __str__(self) -> str:
        return f"{self.object_type}.{self.key}"

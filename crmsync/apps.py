"""The app config: receivers and checks are connected when all apps are there; no query is made."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmsyncConfig(AppConfig):
    """crmsync as an installed app."""

    name = "crmsync"
    label = "crmsync"
    verbose_name = _("HubSpot sync")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what listens."""
        from crmsync import checks, receivers
        from crmsync.paths import behind

        behind.remember()
        checks.register()
        receivers.connect_all()

"""List filters that never load a portal's secrets."""

from django.contrib import admin

from crmsync.models import Portal


def portals():
    """Portals without their secrets: a page that only names them must work with a lost key, too."""
    return Portal.objects.defer("token", "client_secret")


class PortalFilter(admin.RelatedFieldListFilter):
    """By portal, by name."""

    def field_choices(self, field, request, model_admin) -> list[tuple[int, str]]:
        return [(portal.pk, str(portal)) for portal in portals()]

"""Who may see the values of synced records: messages without them, and a trace of who looked."""

import logging
import re

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

HIDDEN = _("hidden: needs the permission “Can see the values of synced records”")
MASK = "•••"
# Problems of the set-up name mappings and settings; all others may quote a record's value.
_SET_UP = ("mapping.", "portal.", "system.")
_QUOTED = re.compile(r"[\"'“«„‘].*[\"'”»“’]", re.DOTALL)


def is_allowed(request: HttpRequest) -> bool:
    return request.user.has_perm("crmsync.view_payload")


def without_values(message: str, code: str = "") -> str:
    """A problem's sentence with everything quoted taken out, from the first quote to the last."""
    return message if code.startswith(_SET_UP) else _QUOTED.sub(f"“{MASK}”", message)


def trace(request: HttpRequest, row: models.Model) -> None:
    """Remember who looked at values: keys only."""
    logger.info("payload viewed", extra={"user": request.user.pk, "model": row._meta.label, "row": row.pk})

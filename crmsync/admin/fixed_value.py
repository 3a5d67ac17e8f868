"""Fixed values on a mapping's page: what every record of it has, and what new ones get."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from crmsync.admin import members
from crmsync.models import FixedValue


class FixedValueInline(admin.TabularInline):
    model = FixedValue
    form = members.FixedValueForm
    formset = members.FixedSet
    extra = 1
    verbose_name_plural = _(
        "Fixed values: which records belong here, such as those of one pipeline, and what new ones get"
    )

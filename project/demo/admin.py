"""The product's own admin pages, as plain as in any product; OwnedFields marks the fields that HubSpot owns."""

from django.contrib import admin

from crmsync.admin.owned import OwnedFields
from project.demo.models import Opportunity, Organisation, Person


@admin.register(Organisation)
class OrganisationAdmin(OwnedFields, admin.ModelAdmin):
    list_display = ["name", "domain", "city", "country", "industry", "employees"]
    list_filter = ["industry", "country"]
    search_fields = ["name", "domain", "city"]


@admin.register(Person)
class PersonAdmin(OwnedFields, admin.ModelAdmin):
    list_display = ["__str__", "email", "job_title", "organisation", "status", "owner"]
    list_filter = ["status", "lead_source", "newsletter", "owner"]
    list_select_related = ["organisation", "owner"]
    search_fields = ["first_name", "last_name", "email", "organisation__name"]
    autocomplete_fields = ["organisation", "owner"]


@admin.register(Opportunity)
class OpportunityAdmin(OwnedFields, admin.ModelAdmin):
    list_display = ["name", "amount", "status", "close_at", "organisation", "contact"]
    list_filter = ["status", "owner"]
    list_select_related = ["organisation", "contact"]
    search_fields = ["name", "organisation__name", "contact__last_name", "contact__email"]
    autocomplete_fields = ["organisation", "contact", "owner"]
    date_hierarchy = "close_at"

"""The tradesmen's own admin pages, as plain as in any product."""

from django.contrib import admin

from project.trade.models import Category, Client, Contact, Quote, Status, Task, TaskLine


@admin.register(Status, Category)
class NamedAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Client)
class ClientAdmin(admin.ModelAdmin):
    list_display = ["name", "number", "kind", "status", "city", "owner"]
    list_filter = ["kind", "status"]
    list_select_related = ["status", "owner"]
    search_fields = ["name", "number", "email", "domain"]
    autocomplete_fields = ["parent", "owner"]
    filter_horizontal = ["categories"]


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):
    list_display = ["__str__", "email", "client", "qualification", "lifecycle"]
    list_filter = ["qualification", "lifecycle"]
    list_select_related = ["client"]
    search_fields = ["first_name", "last_name", "email"]
    autocomplete_fields = ["client"]


class TaskLineInline(admin.TabularInline):
    model = TaskLine
    extra = 1


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):
    list_display = ["title", "client", "kind", "status", "value", "completed_on"]
    list_filter = ["kind", "status"]
    list_select_related = ["client"]
    search_fields = ["title"]
    autocomplete_fields = ["client", "contact"]
    inlines = [TaskLineInline]


@admin.register(Quote)
class QuoteAdmin(admin.ModelAdmin):
    list_display = ["title", "client", "status", "amount", "valid_until"]
    list_filter = ["status"]
    list_select_related = ["client"]
    search_fields = ["title"]
    autocomplete_fields = ["client", "contact", "owner"]

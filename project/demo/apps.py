"""The demo product as a Django app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "project.demo"
    label = "demo"
    verbose_name = "Demo product"
    default_auto_field = "django.db.models.BigAutoField"

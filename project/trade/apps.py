"""The app of the tradesmen's product."""

from django.apps import AppConfig


class TradeConfig(AppConfig):
    name = "project.trade"
    label = "trade"
    default_auto_field = "django.db.models.BigAutoField"

"""The addresses HubSpot calls; include them under any prefix."""

from django.urls import path

from crmsync.views import webhook

app_name = "crmsync"

urlpatterns = [path("webhook/", webhook.receive, name="webhook")]

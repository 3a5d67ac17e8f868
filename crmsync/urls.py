"""The addresses HubSpot calls or sends people to; include them under any prefix."""

from django.urls import path

from crmsync.views import oauth, webhook

app_name = "crmsync"

urlpatterns = [
    path("webhook/", webhook.receive, name="webhook"),
    path("oauth/start/<int:portal_id>/", oauth.start, name="oauth_start"),
    path("oauth/callback/", oauth.callback, name="oauth_callback"),
]

"""The demo host's addresses: its own pages at the root, the admin, and what crmsync needs from outside."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("crmsync/", include("crmsync.urls")),
    path("", include("project.demo.urls")),
]

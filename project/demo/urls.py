"""The product's own pages."""

from django.urls import path

from project.demo import views

app_name = "demo"
urlpatterns = [
    path("", views.people, name="people"),
    path("people/<int:pk>/", views.person, name="person"),
]

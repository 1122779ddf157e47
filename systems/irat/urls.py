from django.urls import path

from systems.irat import views

urlpatterns = [
    path("", views.index, name="documents"),
    path("uj", views.new, name="new-document"),
    path("irat/<int:pk>", views.detail, name="document"),
    path("irat/<int:pk>/alszam", views.new, name="new-sub-document"),
]

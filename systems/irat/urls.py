from django.urls import path

from systems.irat import views

app_name = "irat"
urlpatterns = [
    path("", views.index, name="documents"),
    path("uj", views.new, name="new-document"),
    path("irat/<int:pk>", views.detail, name="document"),
    path("csatolmany/<int:pk>/fajl", views.attachment, name="attachment"),
    path("irat/<int:pk>/alszam", views.new, name="new-sub-document"),
]

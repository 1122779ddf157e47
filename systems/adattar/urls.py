from django.urls import path

from systems.adattar import views

app_name = "adattar"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:system>/", views.system, name="system"),
    path("<slug:system>/tabla", views.sheet, name="sheet"),
]

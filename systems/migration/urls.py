from django.urls import path

from systems.migration import views

app_name = "migration"
urlpatterns = [
    path("", views.index, name="index"),
    path("uj", views.upload, name="upload"),
    path("csomag/<int:pk>/", views.package, name="package"),
    path("csomag/<int:pk>/atvetel", views.apply, name="apply"),
    path("csomag/<int:pk>/befejezes", views.resume, name="resume"),
    path("csomag/<int:pk>/hibajegyzek.xlsx", views.faults, name="faults"),
    path("csomag/<int:pk>/jegyzokonyv.pdf", views.minutes, name="minutes"),
]

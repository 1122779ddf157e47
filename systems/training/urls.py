from django.urls import path

from systems.training import views

app_name = "training"
urlpatterns = [
    path("", views.index, name="index"),
    path("gyakorlatok/<slug:code>/", views.exercise, name="exercise"),
    path("gyakorlatok/<slug:code>/ellenorzes", views.check, name="check"),
    path("igazolasok/<int:pk>/igazolas.pdf", views.certificate, name="certificate"),
    path("attekintes/", views.overview, name="overview"),
]

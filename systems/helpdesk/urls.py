from django.urls import path

from systems.helpdesk import views

app_name = "helpdesk"
urlpatterns = [
    path("", views.index, name="index"),
    path("uj", views.new, name="new"),
    path("bejelentes/<int:pk>/", views.ticket, name="ticket"),
    path("bejelentes/<int:pk>/uzenet", views.add, name="add"),
    path("bejelentes/<int:pk>/valasz", views.answer, name="answer"),
    path("bejelentes/<int:pk>/fajl", views.file, name="file"),
]

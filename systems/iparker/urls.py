from django.urls import path

from systems.iparker import register_views, views

app_name = "iparker"
urlpatterns = [
    path("", views.index, name="index"),
    path("bejelentesek/uj", views.new, name="new"),
    path("bejelentesek/<int:pk>/", views.notification, name="notification"),
    path("bejelentesek/<int:pk>/adatok", views.edit, name="edit"),
    path("bejelentesek/<int:pk>/nyilvantartasba", views.register, name="register"),
    path("bejelentesek/<int:pk>/elutasitas", views.reject, name="reject"),
    path("bejelentesek/<int:pk>/hianypotlas", views.ask, name="ask"),
    path("nyilvantartas/", register_views.entries, name="entries"),
    path("nyilvantartas/letoltes.xlsx", register_views.export, name="export"),
    path("nyilvantartas/<int:pk>/", register_views.entry, name="entry"),
    path("nyilvantartas/<int:pk>/igazolas.pdf", register_views.certificate, name="certificate"),
    path("nyilvantartas/<int:pk>/adatvaltozas", register_views.change, name="change"),
    path("nyilvantartas/<int:pk>/ellenorzes", register_views.new_inspection, name="new-inspection"),
    path("nyilvantartas/<int:pk>/<slug:what>", register_views.step, name="step"),
    path("ellenorzesek/", register_views.inspections, name="inspections"),
    path("ellenorzesek/<int:pk>/lezaras", register_views.settle, name="settle"),
    path("statisztika/", register_views.statistics, name="statistics"),
]

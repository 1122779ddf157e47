from django.urls import path

from systems.ivk import change_views, views

app_name = "ivk"
urlpatterns = [
    path("", views.index, name="index"),
    path("uj", change_views.new, name="new"),
    path("osszevonas", change_views.merge, name="merge"),
    path("ingatlan/<int:pk>/", views.parcel, name="parcel"),
    path("ingatlan/<int:pk>/lap.pdf", views.printable, name="sheet"),
    path("ingatlan/<int:pk>/modositas", change_views.change, name="change"),
    path("ingatlan/<int:pk>/megosztas", change_views.split, name="split"),
    path("ingatlan/<int:pk>/kivezetes", change_views.end, name="end"),
    path("valtozasok/", views.changes, name="changes"),
    path("osszesites/", views.summary, name="summary"),
    path("osszesites/ingatlanvagyon.xlsx", views.summary_sheet, name="summary-sheet"),
]

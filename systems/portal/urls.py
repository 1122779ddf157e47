from django.urls import path

from systems.portal import editor_views, views

app_name = "portal"
urlpatterns = [
    path("", views.index, name="index"),
    path("hirek/", views.news, name="news"),
    path("hirek/<int:pk>", views.article, name="article"),
    path("rendeletek/", views.decrees, name="decrees"),
    path("rendeletek/<int:year>/<int:number>", views.decree, name="decree"),
    path("kozerdeku-adatok", views.publications, name="publications"),
    path("uzletek", views.trades, name="trades"),
    path("elerhetoseg", views.contact, name="contact"),
    path("szerkesztes/", editor_views.index, name="editor"),
    path("szerkesztes/<slug:kind>/", editor_views.index, name="editor-kind"),
    path("szerkesztes/<slug:kind>/uj", editor_views.edit, name="new"),
    path("szerkesztes/<slug:kind>/<int:pk>", editor_views.edit, name="edit"),
    path("szerkesztes/<slug:kind>/<int:pk>/elozmenyek", editor_views.history, name="history"),
]

from django.urls import path

from systems.hagyatek import notary_views, views

app_name = "hagyatek"
urlpatterns = [
    path("", views.index, name="index"),
    path("hataridok/", views.deadlines, name="deadlines"),
    path("uj", views.new, name="new"),
    path("leltar/<int:pk>/", views.estate, name="estate"),
    path("leltar/<int:pk>/adatok", views.edit, name="edit"),
    path("leltar/<int:pk>/hianypotlas", views.ask, name="ask"),
    path("leltar/<int:pk>/leltar.pdf", notary_views.printable, name="printable"),
    path("leltar/<int:pk>/csomag.zip", notary_views.package, name="package"),
    path("leltar/<int:pk>/atadas", notary_views.hand_over, name="hand-over"),
    path("leltar/<int:pk>/lezaras", notary_views.close, name="close"),
    path("leltar/<int:pk>/<slug:what>/uj", views.part, name="new-part"),
    path("leltar/<int:pk>/<slug:what>/<int:row>", views.part, name="part"),
    path("leltar/<int:pk>/<slug:what>/<int:row>/torles", views.take_out, name="take-out"),
    path("kozjegyzok/", notary_views.notaries, name="notaries"),
    path("kozjegyzok/uj", notary_views.notary, name="new-notary"),
    path("kozjegyzok/<int:pk>", notary_views.notary, name="notary"),
    path("kozjegyzok/<int:pk>/terulet", notary_views.new_area, name="new-area"),
    path("teruletek/<int:pk>/torles", notary_views.drop_area, name="drop-area"),
]

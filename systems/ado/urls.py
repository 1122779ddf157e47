from django.urls import path

from systems.ado import views

app_name = "ado"
urlpatterns = [
    path("", views.index, name="index"),
    path("bevallasok/<int:pk>/", views.entry, name="return"),
    path("bevallasok/<int:pk>/elfogadas", views.accept, name="accept"),
    path("bevallasok/<int:pk>/elutasitas", views.reject, name="reject"),
    path("adozok/", views.taxpayers, name="taxpayers"),
    path("adozok/uj", views.new_taxpayer, name="new-taxpayer"),
    path("adozok/<int:pk>/", views.taxpayer, name="taxpayer"),
    path("adozok/<int:pk>/bevallas", views.new_return, name="new-return"),
    path("adozok/<int:pk>/befizetes", views.new_payment, name="new-payment"),
    path("adozok/<int:pk>/kivonat.pdf", views.extract, name="extract"),
    path("hatralekok/", views.arrears, name="arrears"),
]

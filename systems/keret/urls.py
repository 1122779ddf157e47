from django.urls import path

from systems.keret import views

urlpatterns = [
    path("", views.home, name="home"),
    path("kilepes", views.sign_out, name="sign-out"),
    path("kijelentkezve", views.signed_out, name="signed-out"),
]

from django.urls import path

from systems.keret import admin_views, views

app_name = "keret"
urlpatterns = [
    path("", views.home, name="home"),
    path("kilepes", views.sign_out, name="sign-out"),
    path("kijelentkezve", views.signed_out, name="signed-out"),
    path("felhasznalok/", admin_views.users, name="users"),
    path("felhasznalok/uj", admin_views.edit, name="new-user"),
    path("felhasznalok/<int:pk>/", admin_views.user, name="user"),
    path("felhasznalok/<int:pk>/adatok", admin_views.edit, name="edit-user"),
    path("felhasznalok/<int:pk>/szerepkorok", admin_views.roles, name="roles"),
    path("felhasznalok/<int:pk>/engedely", admin_views.permit, name="permit"),
    path("felhasznalok/<int:pk>/helyettesites", admin_views.substitute, name="substitute"),
    path("helyettesites", admin_views.substitute_here_too, name="substitute-here-too"),
    path("felhasznalok/<int:pk>/zarolas", admin_views.lock, name="lock"),
    path("felhasznalok/<int:pk>/feloldas", admin_views.unlock, name="unlock"),
    path("jogok/<int:pk>/visszavonas", admin_views.end_grant, name="end-grant"),
    path("belepettek/", admin_views.sessions, name="sessions"),
    path("belepettek/<int:pk>/kileptetes", admin_views.force_out, name="force-out"),
    path("naplo/", admin_views.log, name="log"),
    path("statisztika/", admin_views.statistics, name="statistics"),
]

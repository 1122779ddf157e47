from django.urls import path

from systems.elugy import clerk_views, draft_views, sign_in, views

app_name = "elugy"
urlpatterns = [
    path("", views.index, name="index"),
    path("urlap/<slug:code>", views.about, name="about"),
    path("urlap/<slug:code>/kitoltes", draft_views.begin, name="begin"),
    path("kitoltes/<uuid:pk>/mellekletek", draft_views.attachments, name="attachments"),
    path("kitoltes/<uuid:pk>/mellekletek/uj", draft_views.attach, name="attach"),
    path("kitoltes/<uuid:pk>/mellekletek/<int:file>/torles", draft_views.detach, name="detach"),
    path("kitoltes/<uuid:pk>/ellenorzes", draft_views.review, name="review"),
    path("kitoltes/<uuid:pk>/torles", draft_views.discard, name="discard"),
    path("kitoltes/<uuid:pk>/lepes/<slug:slug>", draft_views.step, name="step"),
    path("ugyeim/", views.cases, name="cases"),
    path("ugyeim/<uuid:pk>", views.case, name="case"),
    path("ugyeim/<uuid:pk>/nyugta", views.receipt, name="receipt"),
    path("ugyeim/<uuid:pk>/melleklet/<int:file>", views.attachment, name="attachment"),
    path("ugyeim/<uuid:pk>/irat/<int:event>/fajl", views.paper, name="paper"),
    path("adoegyenleg", views.balance, name="balance"),
    path("ugyfel/belepes", sign_in.begin, name="sign-in"),
    path("ugyfel/callback", sign_in.complete, name="sign-in-complete"),
    path("ugyfel/kilepes", sign_in.sign_out, name="sign-out"),
    path("kijelentkezve", sign_in.signed_out, name="signed-out"),
    path("ugyintezo/", clerk_views.submissions, name="arrived"),
    path("ugyintezo/statisztika", clerk_views.statistics, name="statistics"),
    path("ugyintezo/<uuid:pk>", clerk_views.submission, name="submission"),
    path("ugyintezo/<uuid:pk>/melleklet/<int:file>", clerk_views.attachment, name="arrived-attachment"),
]

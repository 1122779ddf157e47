from django.urls import path

from systems.irat import book_views, case_views, views

app_name = "irat"
urlpatterns = [
    path("", views.index, name="documents"),
    path("uj", views.new, name="new-document"),
    path("irat/<int:pk>", views.detail, name="document"),
    path("csatolmany/<int:pk>/fajl", views.attachment, name="attachment"),
    path("irat/<int:pk>/alszam", views.new, name="new-sub-document"),
    path("erkeztetes/", book_views.arrivals, name="arrivals"),
    path("erkeztetes/uj", book_views.new_arrival, name="new-arrival"),
    path("erkeztetes/<int:pk>/iktatas", views.register_arrival, name="register-arrival"),
    path("erkeztetes/<int:pk>/visszakuldes", book_views.send_back, name="send-back"),
    path("ugyiratok/", case_views.cases, name="cases"),
    path("ugyirat/<int:pk>", case_views.case, name="case"),
    path("ugyirat/<int:pk>/szignalas", case_views.assign, name="assign"),
    path("ugyirat/<int:pk>/hatarido", case_views.postpone, name="postpone"),
    path("ugyirat/<int:pk>/elintezes", case_views.settle, name="settle"),
    path("ugyirat/<int:pk>/ujranyitas", case_views.reopen, name="reopen"),
    path("ugyirat/<int:pk>/irattarba", case_views.archive, name="archive"),
    path("ugyirat/<int:pk>/kiadmany", case_views.draft, name="draft"),
    path("kiadmanyok/", case_views.drafts, name="drafts"),
    path("kiadmanyok/<int:pk>", case_views.draft_page, name="draft-page"),
    path("kiadmanyok/<int:pk>/kiadmanyozas", case_views.sign, name="sign"),
    path("expedialas/", case_views.dispatches, name="dispatches"),
    path("expedialas/<int:pk>", case_views.dispatch, name="dispatch"),
    path("irattar/", book_views.archive, name="archive-list"),
    path("irattar/selejtezes", book_views.propose, name="propose"),
    path("irattar/selejtezes/<int:pk>", book_views.destruction, name="destruction"),
    path("irattar/selejtezes/<int:pk>/jovahagyas", book_views.approve, name="approve-destruction"),
    path("irattar/selejtezes/<int:pk>/jegyzokonyv.pdf", book_views.destruction_pdf, name="destruction-pdf"),
    path("iktatokonyvek/", book_views.registers, name="registers"),
    path("iktatokonyvek/<int:pk>/lezaras", book_views.close, name="close-register"),
    path("iktatokonyvek/<int:pk>/iktatokonyv.xlsx", book_views.register_sheet, name="register-sheet"),
    path("statisztika/", book_views.statistics, name="statistics"),
]

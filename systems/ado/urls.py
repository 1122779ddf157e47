from django.urls import path

from systems.ado import correcting_views, statement_views, terms_views, views

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
    path("adozok/<int:pk>/visszaterites", correcting_views.refund, name="refund"),
    path("kivetesek/<int:pk>/helyesbites", correcting_views.correct, name="correct"),
    path("befizetesek/<int:pk>/storno", correcting_views.undo, name="reverse"),
    path("adozok/<int:pk>/kivonat.pdf", views.extract, name="extract"),
    path("kivonatok/", statement_views.index, name="statements"),
    path("kivonatok/uj", statement_views.upload, name="upload-statement"),
    path("kivonatok/<int:pk>/", statement_views.statement, name="statement"),
    path("kivonatok/<int:pk>/konyveles", statement_views.book, name="book-statement"),
    path("kivonatok/<int:pk>/elvetes", statement_views.drop, name="drop-statement"),
    path("tisztazatlan/", statement_views.unclear, name="unclear"),
    path("tisztazatlan/<int:pk>/", statement_views.line, name="statement-line"),
    path("tisztazatlan/<int:pk>/hozzarendeles", statement_views.assign, name="assign-line"),
    path("tisztazatlan/<int:pk>/visszautalas", statement_views.send_back, name="send-line-back"),
    path("mertekek/", terms_views.terms, name="terms"),
    path("mertekek/potlek/uj", terms_views.rate, name="new-rate"),
    path("mertekek/<slug:code>", terms_views.tax, name="tax"),
    path("mertekek/<slug:code>/esedekesseg", terms_views.due_days, name="due"),
    path("hatralekok/", views.arrears, name="arrears"),
]

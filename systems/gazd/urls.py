from django.urls import path

from systems.gazd import ledger_views, views

app_name = "gazd"
urlpatterns = [
    path("", views.index, name="index"),
    path("evek/uj", views.new_year, name="new-year"),
    path("evek/<int:year>/eloiranyzat", views.new_appropriation, name="new-appropriation"),
    path("evek/<int:year>/zaras", ledger_views.close, name="close"),
    path("eloiranyzatok/<int:pk>/", views.appropriation, name="appropriation"),
    path("eloiranyzatok/<int:pk>/modositas", views.modify, name="modify"),
    path("eloiranyzatok/<int:pk>/kotelezettseg", views.new_commitment, name="new-commitment"),
    path("kotelezettsegek/", views.commitments, name="commitments"),
    path("kotelezettsegek/<int:pk>/", views.commitment, name="commitment"),
    path("kotelezettsegek/<int:pk>/ellenjegyzes", views.countersign, name="countersign"),
    path("kotelezettsegek/<int:pk>/felszabaditas", views.release, name="release"),
    path("kotelezettsegek/<int:pk>/szamla", views.new_invoice, name="new-invoice"),
    path("szamlak/", views.invoices, name="invoices"),
    path("szamlak/fizetes", views.payment, name="payment"),
    path("szamlak/<int:pk>/", views.invoice, name="invoice"),
    path("szamlak/<int:pk>/reszkifizetes", views.pay_part, name="pay-part"),
    path("szamlak/<int:pk>/ervenyesites", views.validate, name="validate"),
    path("szamlak/<int:pk>/jovahagyas", views.approve, name="approve"),
    path("szamlak/<int:pk>/visszautasitas", views.reject, name="reject"),
    path("partnerek/", views.partners, name="partners"),
    path("partnerek/uj", views.new_partner, name="new-partner"),
    path("bizonylatok/", ledger_views.vouchers, name="vouchers"),
    path("bizonylatok/uj", ledger_views.new_voucher, name="new-voucher"),
    path("bizonylatok/bevetel", ledger_views.new_receipt, name="new-receipt"),
    path("bizonylatok/<int:pk>/", ledger_views.voucher, name="voucher"),
    path("bizonylatok/<int:pk>/storno", ledger_views.reverse_voucher, name="reverse"),
    path("kimutatasok/", ledger_views.reports_page, name="reports"),
    path("kimutatasok/fokonyvi-kivonat.xlsx", ledger_views.trial_balance_sheet, name="trial-balance"),
    path("kimutatasok/penzforgalmi-jelentes.xlsx", ledger_views.cash_report_sheet, name="cash-report"),
    path("kimutatasok/afa", ledger_views.vat, name="vat"),
    path("kimutatasok/afa.xlsx", ledger_views.vat_sheet, name="vat-sheet"),
]

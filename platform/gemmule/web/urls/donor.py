"""Addresses of the donor pages."""

from django.urls import path

from gemmule.web.donor import erasing, home, journey, record, stopping

urlpatterns = [
    path("donor/", home.home, name="donor_home"),
    path("donor/consent/", journey.start, name="donor_consent"),
    path("donor/consent/check/", journey.check, name="donor_consent_check"),
    path(
        "donor/consent/questions/<slug:name>/",
        journey.question,
        name="donor_consent_question",
    ),
    path("donor/consent/review/", journey.review, name="donor_consent_review"),
    path("donor/refuse/", stopping.refuse, name="donor_refuse"),
    path("donor/withdraw/", stopping.withdraw, name="donor_withdraw"),
    path("donor/pause/", stopping.pause, name="donor_pause"),
    path("donor/resume/", stopping.resume, name="donor_resume"),
    path("donor/erase/", erasing.erase, name="donor_erase"),
    path("donor/history/", record.history, name="donor_history"),
    path("donor/record.json", record.whole, name="donor_record"),
    path("donor/uses/", home.uses, name="donor_uses"),
    path("donor/receipts/<uuid:event>/", record.receipt, name="donor_receipt"),
]

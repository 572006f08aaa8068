"""Addresses of a person's own account."""

from django.urls import path

from gemmule.web import account

urlpatterns = [
    path("home/", account.home, name="home"),
    path("account/", account.profile, name="profile"),
    path("account/keys/", account.key_list, name="key_list"),
    path("account/keys/new/", account.key_new, name="key_new"),
    path("account/keys/<uuid:key_id>/", account.key_detail, name="key_detail"),
    path(
        "account/keys/<uuid:key_id>/challenge.c4gh",
        account.key_challenge,
        name="key_challenge",
    ),
    path("account/keys/<uuid:key_id>/renew/", account.key_renew, name="key_renew"),
    path("account/keys/<uuid:key_id>/retire/", account.key_retire, name="key_retire"),
    path("account/tokens/", account.token_list, name="token_list"),
    path("account/tokens/new/", account.token_new, name="token_new"),
    path(
        "account/tokens/<uuid:token_id>/revoke/",
        account.token_revoke,
        name="token_revoke",
    ),
    path("account/inbox/", account.inbox, name="inbox"),
    path("account/inbox/read/", account.inbox_read, name="inbox_read"),
    path("account/inbox/<int:notice_id>/", account.notice_open, name="notice_open"),
]

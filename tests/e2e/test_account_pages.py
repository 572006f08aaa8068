"""A researcher proves her key and makes a token; two administrators give a role."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh
from playwright.sync_api import Page, expect

from gemmule.accounts import selectors
from gemmule.accounts.models import Role, User
from gemmule.demo import cast
from gemmule.notices.models import Letter
from tests import factories
from tests.e2e.conftest import Look

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PageAs = Callable[[User], Page]


def test_researcher_proves_her_key_and_makes_a_token(
    page_as: PageAs, base_url: str, look: Look, tmp_path: Path
) -> None:
    rosa = factories.member(cast.ROSA)
    secret, public = tmp_path / "my.sec", tmp_path / "my.pub"
    c4gh.generate(str(secret), str(public), None, None)
    page = page_as(rosa)

    page.goto(f"{base_url}/account/")
    look(page, "account")
    page.get_by_role("link", name="Keys that your files").click()
    look(page, "keys-none")
    page.get_by_role("link", name="Register a key").click()
    page.get_by_text("Which keys are accepted").click()
    look(page, "key-new")
    page.get_by_label("A name for the key").fill("cluster")
    page.get_by_label("The public key").fill(secret.read_text())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("SECRET key")
    expect(page.get_by_label("The public key")).to_have_value("")
    look(page, "key-secret-refused")
    page.get_by_label("The public key").fill(public.read_text())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    look(page, "again")
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not your password")
    look(page, "again-wrong")
    page.get_by_label("Your password").fill(cast.PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()

    page.get_by_text("My key is an SSH or PEM key").click()
    look(page, "key-to-prove")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download challenge.c4gh").click()
    opened = subprocess.run(
        [Path(sys.executable).with_name("crypt4gh"), "decrypt", "--sk", secret],
        input=download.value.path().read_bytes(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    page.get_by_label("The text that was inside").fill(opened.stdout.decode())
    page.get_by_role("button", name="Prove the key").click()
    expect(page.get_by_role("status").first).to_contain_text("can receive files")
    look(page, "key-proven")
    assert selectors.active_keys(rosa).count() == 1

    page.goto(f"{base_url}/account/tokens/new/")
    look(page, "token-new")
    page.get_by_label("A name for the token").fill("nightly")
    page.get_by_label("Your password").fill(cast.PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="Your new token")).to_be_visible()
    look(page, "token-shown")
    page.get_by_role("link", name="Your API tokens").click()
    look(page, "tokens")
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_text("A key was added to your account").first).to_be_visible()
    look(page, "inbox-own-account")


def test_a_passkey_answers_instead_of_the_password(
    page_as: PageAs, base_url: str, look: Look
) -> None:
    rosa = factories.member(cast.ROSA)
    page = page_as(rosa)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )

    page.goto(f"{base_url}/account/2fa/webauthn/add/")
    page.get_by_label("Password", exact=False).fill(cast.PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("What you call it").fill("laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert Letter.objects.get().subject == "A passkey was added to your account"

    other = page_as(rosa)  # A second session, which was asked for nothing yet.
    cookies = other.context.cookies()
    page.context.clear_cookies()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # the same shape
    page.goto(f"{base_url}/account/email/")
    page.get_by_label("New e-mail address").fill("rosa@new.example")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    look(page, "again-passkey")
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page.get_by_role("status").first).to_contain_text("rosa@new.example")
    look(page, "addresses")


def test_two_administrators_give_a_role(
    page_as: PageAs, base_url: str, look: Look
) -> None:
    alma, sam = factories.member(cast.ALMA), factories.member(cast.SAM)
    alan = factories.member(cast.ALAN)
    first, second = page_as(alma), page_as(alan)

    first.goto(f"{base_url}/people/")
    first.get_by_role("link", name="Propose a role").click()
    look(first, "role-propose")
    first.get_by_label("E-mail address").fill(sam.email)
    first.get_by_label("Role").select_option(label="Data steward")
    first.get_by_role("button", name="Propose it").click()
    look(first, "people")

    second.goto(f"{base_url}/people/")
    second.get_by_role("link", name="Decide on Data steward for Sam").click()
    look(second, "role-confirm")
    second.get_by_label("Your password").fill(cast.PASSWORD)
    second.get_by_role("button", name="Give the role").click()
    expect(second.get_by_role("status").first).to_contain_text("is now Data steward")
    assert selectors.roles_of(sam) == [Role.STEWARD]

    second.get_by_role("link", name="revoke the role Data steward of Sam").click()
    look(second, "role-revoke")
    second.get_by_role("button", name="Revoke it").click()
    assert selectors.roles_of(sam) == []

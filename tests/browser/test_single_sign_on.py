"""Single sign-on in a real browser: the button, the issuer's own page on another site, and back."""

from pathlib import Path

import pytest

from tests.browser.conftest import sync_api
from tests.support.hub_process import ROOT, start_hub
from tests.support.oidc_provider import provider

pytestmark = [pytest.mark.browser, pytest.mark.alone]


def test_a_person_signs_in_with_the_company_account(browser: "sync_api.Browser", tmp_path: Path) -> None:
    if not (ROOT / "console" / "dist" / "index.html").exists():
        pytest.skip("the console is not built; run `make console`")
    with provider() as issuer:
        issuer.person("ada", email="ada@example.org", email_verified=True, name="Ada")
        issuer.person("eve", email="eve@example.org", email_verified=False)
        hub = start_hub(
            tmp_path / "home",
            {
                # Another site than 127.0.0.1, so that cookies behave as between two companies' servers.
                "MODELHUB_OIDC_ISSUER": issuer.url.replace("127.0.0.1", "localhost"),
                "MODELHUB_OIDC_CLIENT_ID": "hub",
                "MODELHUB_OIDC_CLIENT_SECRET": "s3cret",
                "MODELHUB_OIDC_TITLE": "Sign in with Company",
            },
        )
        context = browser.new_context(base_url=hub.url, locale="en-GB")
        try:
            page = context.new_page()
            page.goto("/jobs")
            page.get_by_role("link", name="Sign in with Company").click()
            page.wait_for_url("**/oauth2/authorize**")
            page.get_by_role("textbox").fill("eve")
            page.get_by_role("textbox").press("Enter")
            sync_api.expect(page.get_by_role("alert")).to_contain_text("verified")
            page.get_by_role("link", name="Sign in with Company").click()
            page.get_by_role("textbox").fill("ada")
            page.get_by_role("textbox").press("Enter")
            sync_api.expect(page.get_by_role("heading", name="Overview")).to_be_visible()
            page.reload()
            page.get_by_role("button", name="Account").click()
            sync_api.expect(page.get_by_text("Ada").first).to_be_visible()
            names = {cookie["name"]: cookie for cookie in context.cookies(f"{hub.url}/api/v1/auth/sso/x")}
            assert names["mh_refresh"]["sameSite"] == "Strict" and "mh_sso" not in names
        finally:
            context.close()
            hub.stop()

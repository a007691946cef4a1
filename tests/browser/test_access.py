"""Who may do what, by clicking: the first sign-in, an invitation, what a newcomer sees, a door that shuts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import save_file

from tests.browser.conftest import WINDOW
from tests.support.hub import Hub as ModelSource
from tests.support.hub_process import ROOT, Hub, start_hub

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(300)]

OWN, THEIRS = "eleven purple ducks", "nine orange herons"
OFFICE = ("users", "invitations", "lock-outs", "teams", "roles", "audit")
PAGES = ("/account", "/account/sessions", "/account/keys", *(f"/admin/{page}" for page in OFFICE))


def a_few_weights(folder: Path) -> None:
    """Enough of a model to be brought in; nobody runs it here."""
    folder.mkdir(parents=True)
    save_file({"weight": np.zeros((8, 8), dtype=np.float32)}, folder / "model.safetensors")
    facts = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    (folder / "config.json").write_text(json.dumps(facts))


@pytest.fixture
def fresh_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub at its first start, with a made-up password, and two models: one for everybody, one private."""
    if not (ROOT / "console" / "dist" / "index.html").exists():
        pytest.skip("the console is not built; run `make console`")
    for name in ("open", "secret"):
        a_few_weights(tmp_path / "models" / "org" / name)
    with ModelSource(tmp_path / "models") as source:
        hub = start_hub(tmp_path / "home", {"HF_ENDPOINT": source.url, "MODELHUB_ADMIN_PASSWORD": ""})
        try:
            for name, visibility in (("open", "public"), ("secret", "private")):
                wanted = {"source": "huggingface", "ref": f"org/{name}", "visibility": visibility}
                download = hub.post("/downloads", wanted)
                hub.until(f"/downloads/{download['id']}", lambda d: d["status"] == "completed")
            yield hub
        finally:
            hub.stop()


@pytest.fixture
def windows(browser: Browser, fresh_hub: Hub) -> Iterator[list[Page]]:
    """Two browsers of two people. An error either console tells of fails the test, but for the refusals that
    it is about."""
    problems: list[str] = []
    contexts = [browser.new_context(base_url=fresh_hub.url, viewport=WINDOW, locale="en-GB") for _ in "12"]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(20_000)
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
    yield pages
    for context in contexts:
        context.close()
    assert [said for said in problems if "status of 401" not in said] == []


def go_to(page: Page, place: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
    expect(page.get_by_role("heading", name=place, level=1)).to_be_visible()


def set_up(page: Page, hub: Hub) -> None:
    """The first sign-in, with the password that was printed once, ends in one's own."""
    printed = re.search(r"Password +(\S+)", hub.log.read_text())
    assert printed
    page.goto("/")
    page.get_by_label("Email").fill(hub.email)
    page.get_by_label("Password").fill(printed[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Make this hub yours")).to_be_visible()
    page.get_by_label("Name").fill("The Admin")
    page.get_by_label("Present password").fill(printed[1])
    page.get_by_label("Your own password").fill(OWN)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("status", name="Live")).to_be_visible()


def invite(page: Page, email: str) -> str:
    go_to(page, "Users")
    page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_role("button", name="Make the link").click()
    link = dialog.get_by_text(re.compile("/join#mhi_")).inner_text()
    dialog.get_by_role("button", name="Done").click()
    return link


def join(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_text("with the role user")).to_be_visible()
    assert "#" not in page.url
    page.get_by_label("Name").fill("New Comer")
    page.get_by_label("Password").fill(THEIRS)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def make_key(page: Page) -> str:
    """A key that may share models, made in the account."""
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="API keys").click()
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Nightly")
    for scope in ("models.write", "share.public"):
        dialog.get_by_role("checkbox", name=re.compile(scope)).check()
    dialog.get_by_role("button", name="Make a key").click()
    key = dialog.get_by_text(re.compile("^mh_")).inner_text()
    dialog.get_by_role("button", name="Done").click()
    return key


def test_an_administrator_lets_somebody_in_and_out(windows: list[Page], fresh_hub: Hub) -> None:
    admin, newcomer = windows
    set_up(admin, fresh_hub)
    go_to(admin, "Library")
    expect(admin.get_by_role("listitem", name="org/secret")).to_be_visible()

    # The newcomer sees what is shared, and only that.
    join(newcomer, invite(admin, "new@example.org"))
    go_to(newcomer, "Library")
    shared = newcomer.get_by_role("listitem", name="org/open")
    expect(shared.get_by_text(re.compile("Everybody"))).to_be_visible()
    expect(newcomer.get_by_role("listitem", name="org/secret")).to_have_count(0)
    expect(shared.get_by_role("button", name="Delete org/open")).to_have_count(0)
    expect(newcomer.get_by_role("link", name="Users")).to_have_count(0)
    go_to(newcomer, "Deployments")
    expect(newcomer.get_by_role("status", name="Live")).to_be_visible()

    # A program uses a key once, for a change.
    key = make_key(admin)
    (secret,) = [model for model in fresh_hub.get("/models")["items"] if model["name"] == "org/secret"]
    used = httpx.put(
        f"{fresh_hub.url}/api/v1/models/{secret['id']}/sharing",
        json={"visibility": "public"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert used.status_code == 200, used.text

    # Deactivated: the open page of the newcomer is at the door by itself.
    go_to(admin, "Users")
    admin.get_by_role("button", name="More for New Comer").click()
    admin.get_by_role("menuitem", name="Deactivate").click()
    admin.get_by_role("button", name="Deactivate").click()
    expect(admin.get_by_role("listitem", name="new@example.org").get_by_text("Deactivated")).to_be_visible()
    expect(newcomer.get_by_text("Your session has ended")).to_be_visible(timeout=10_000)
    expect(newcomer.get_by_role("button", name="Sign in")).to_be_visible()

    # The log has all of it, and nobody has altered it.
    go_to(admin, "Audit log")
    for action in ("user.change", "key.create", "invite.create"):
        expect(admin.get_by_role("button", name=re.compile(re.escape(action))).first).to_be_visible()
    admin.get_by_role("button", name=re.compile("model.share")).first.click()
    expect(admin.get_by_role("dialog").get_by_text("An API key")).to_be_visible()
    admin.keyboard.press("Escape")
    admin.get_by_role("button", name="Verify").click()
    expect(admin.get_by_text(re.compile(r"All \d+ entries are as they were written"))).to_be_visible()

    # All of it fits a phone.
    admin.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        admin.goto(path)
        expect(admin.get_by_role("main")).to_be_visible()
        expect(admin.get_by_role("heading", level=1)).to_be_visible()
        expect(admin.locator(".ant-skeleton")).to_have_count(0)
        width = admin.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} pixels wide"

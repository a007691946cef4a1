"""The main job by clicking: from a model's name to a conversation, and out again."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.hub_process import Hub

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(1200)]

SLOW = 240_000
"""Milliseconds that bringing or loading a model may take on a busy machine."""
MAKING = 900_000
"""Milliseconds for the starter model, which takes two idle cores less than two minutes."""


def sign_in(page: Page, hub: Hub) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(hub.email)
    page.get_by_label("Password").fill(hub.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("status", name="Live")).to_be_visible()


def go_to(page: Page, place: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
    expect(page.get_by_role("heading", name=place, level=1)).to_be_visible()


def find_and_download(page: Page, words: str, ref: str) -> None:
    go_to(page, "Search")
    page.get_by_role("searchbox", name="Search for models").fill(words)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=ref, exact=True).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", level=1).first).to_be_visible()
    drawer.get_by_role("button", name="Download").click()
    expect(page.get_by_role("heading", name="Downloads", level=1)).to_be_visible()


def deploy(page: Page, row: str, name: str) -> None:
    """From the model's page to a deployment that runs."""
    page.get_by_role("button", name="Deploy").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill(name)
    dialog.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name="Deployments")).to_be_visible()
    deployment = page.get_by_role("listitem", name=row)
    expect(deployment.get_by_text("Running", exact=True)).to_be_visible(timeout=SLOW)


def seen_values(page: Page, bar: re.Pattern[str], until: str) -> list[int]:
    """The values a progress bar shows until a text appears; nothing is reloaded meanwhile."""
    values: list[int] = []
    deadline = time.monotonic() + SLOW / 1000
    while not page.get_by_text(until, exact=True).is_visible():
        failed = page.get_by_text("Failed", exact=True).is_visible()
        assert not failed and time.monotonic() < deadline, (
            f"no {until} after {values}: {page.get_by_role('main').inner_text()}"
        )
        found = page.get_by_role("progressbar", name=bar)
        value = found.get_attribute("aria-valuenow") if found.is_visible() else None
        if value and (not values or int(value) != values[-1]):
            values.append(int(value))
        page.wait_for_timeout(100)
    return values


def answers(hub: Hub) -> list[dict[str, Any]]:
    """The answers of the newest conversation, as its own history has them."""
    (session, *_) = hub.get("/chat/sessions")["items"]
    return [m for m in hub.get(f"/chat/sessions/{session['id']}")["messages"] if m["role"] == "assistant"]


def test_from_a_name_to_a_conversation(page: Page, hub: Hub) -> None:
    sign_in(page, hub)

    # A download that is paused, goes on, and is watched until it is complete.
    find_and_download(page, "talk", "org/talker")
    expect(page.get_by_text(re.compile(r"\d+ s left"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pause ")).click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Resume ")).click()
    values = seen_values(page, re.compile("Progress of .*talker"), "Completed")
    assert len(values) >= 3 and values == sorted(values), values

    # The library knows it.
    page.get_by_role("link", name="Open in library").click()
    expect(page.get_by_role("heading", name=re.compile("talker"), level=1)).to_be_visible()
    page.get_by_role("tab", name="Facts").click()
    expect(page.get_by_text("LlamaForCausalLM")).to_be_visible()
    page.get_by_role("tab", name=re.compile("Files")).click()
    expect(page.get_by_text("model.safetensors", exact=True)).to_be_visible()

    # It is deployed and logs.
    deploy(page, "talker", "talker")
    page.get_by_role("button", name="Log of talker").click()
    expect(page.get_by_role("log")).not_to_be_empty()
    page.keyboard.press("Escape")

    # A model that is needed stays.
    go_to(page, "Library")
    page.get_by_role("button", name=re.compile("Delete .*talker")).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    # A conversation; the page is reloaded while the answer is being written.
    go_to(page, "Deployments")
    page.get_by_role("button", name="Chat with talker").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("spinbutton", name="Temperature").fill("0")
    page.get_by_role("spinbutton", name="Most tokens of an answer").fill("150")
    page.get_by_role("textbox", name="Message").fill("Tell me a long story.")
    page.keyboard.press("Enter")
    log = page.get_by_role("log", name="Messages")
    answer = log.get_by_role("article", name="talker")
    expect(answer.get_by_role("paragraph").first).not_to_be_empty()
    page.reload()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(log.get_by_text("Tell me a long story.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the answer")).to_be_visible(timeout=SLOW)
    (kept,) = answers(hub)
    assert kept["status"] == "complete"
    shown = re.sub(r"\W+", "", answer.inner_text())
    beginning = re.sub(r"\W+", "", re.sub(r"<[^>]*>", "", kept["content"]))[:40]
    assert shown.startswith(beginning)

    # A second answer is stopped, and is kept as far as it came.
    page.get_by_role("textbox", name="Message").fill("And another one, please.")
    page.keyboard.press("Enter")
    expect(log.get_by_role("article")).to_have_count(4)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(log.get_by_text("Stopped")).to_be_visible()
    assert answers(hub)[1]["status"] == "stopped"

    # Out, and out it stays.
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto("/library")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_phone_shows_everything_without_sideways_scrolling(page: Page, hub: Hub) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, hub)
    places = ["search", "downloads", "library", "storage", "deployments", "chat", "jobs", "admin/settings"]
    for path in ("/", *(f"/{place}" for place in places)):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.locator(".ant-skeleton")).to_have_count(0)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} pixels wide"
    page.get_by_role("button", name="Open menu").click()
    page.get_by_role("dialog").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library", level=1)).to_be_visible()


def test_a_newcomer_without_internet_gets_a_right_answer(page: Page, hub: Hub) -> None:
    """The first steps of the overview, with the model this machine makes for itself."""
    for old in hub.get("/chat/sessions")["items"]:
        hub.delete(f"/chat/sessions/{old['id']}")
    for old in hub.get("/deployments")["items"]:
        hub.delete(f"/deployments/{old['id']}")
    for old in hub.get("/models")["items"]:
        hub.until("/models", lambda _page, id=old["id"]: deleted(hub, id))
    sign_in(page, hub)
    page.get_by_role("button", name="Make your first model").click()
    expect(page.get_by_role("heading", name="Downloads", level=1)).to_be_visible()
    row = page.get_by_role("listitem").first
    expect(row.get_by_text("Completed", exact=True)).to_be_visible(timeout=MAKING)

    go_to(page, "Overview")
    page.get_by_role("link", name="Open the library").click()
    page.get_by_role("link", name=re.compile("starter", re.IGNORECASE)).first.click()
    deploy(page, "starter", "starter")
    page.get_by_role("button", name="Chat with starter").click()
    page.get_by_role("textbox", name="Message").fill("What is ModelHub?")
    page.keyboard.press("Enter")
    answer = page.get_by_role("log", name="Messages").get_by_role("article", name="starter")
    expect(page.get_by_role("button", name="Copy the answer")).to_be_visible(timeout=SLOW)
    expect(answer).to_contain_text(re.compile("model", re.IGNORECASE))


def deleted(hub: Hub, model_id: str) -> bool:
    """A deployment that is being taken down still holds its model for a moment."""
    return hub.request("DELETE", f"/api/v1/models/{model_id}").status_code in (200, 202, 204, 404)

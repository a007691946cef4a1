"""A model is sent from a real browser: the page is reloaded in the middle, and the same file goes on."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_console import sign_in
from tests.support.downloads import GGUF_HEADER
from tests.support.hub_process import Hub

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(300)]


def test_an_upload_goes_on_after_the_page_was_reloaded(page: Page, hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "sent.gguf"
    file.write_bytes(GGUF_HEADER + os.urandom(1 << 20) * 100)
    sign_in(page, hub)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Add a model").click()
    page.get_by_role("tab", name="Upload").click()
    page.get_by_label("Choose files").set_input_files(file)
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.get_by_role("button", name="Send").click()
    page.reload()
    [upload] = hub.get("/uploads?status=open")["items"]
    assert 0 < upload["bytes_done"] < upload["size"], "the page was left in the middle"
    expect(page.get_by_role("listitem", name="sent")).to_contain_text("/ 100 MiB")
    page.get_by_label("Choose files").set_input_files(file)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Downloads", level=1)).to_be_visible(timeout=120_000)
    arrived = page.get_by_role("listitem", name="sent")
    expect(arrived.get_by_role("link", name="Open in library")).to_be_visible(timeout=120_000)
    [model] = [each for each in hub.get("/models")["items"] if each["name"] == "sent"]
    assert (Path(model["path"]) / "sent.gguf").read_bytes() == file.read_bytes()

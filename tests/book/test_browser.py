"""Every page of the built book in Chromium, as a reader meets it: offline, on a phone, in the dark, by keyboard.

The pages are opened from the file system and from localhost, and nothing else can be reached: a request that leaves
the book is refused and fails the test.  axe-core looks for barriers in both modes.
"""

from pathlib import Path

import browser
import pytest

PAGES = browser.pages()
INSIDE = browser.HTML.as_uri() + "/"

# What axe-core finds in the theme's frame around our text and no setting of ours can mend.
# Each line: rule, and why it is let through.
FRAME = {}

PROBLEMS_OF_A_PAGE = """() => {
  const article = document.querySelector("article") ?? document.querySelector("main");  // the search page has none
  const problems = [];
  for (const img of document.images) {
    if (!(img.complete && img.naturalWidth > 0)) problems.push(`image does not load: ${img.src}`);
    if (!(img.getAttribute("alt") ?? "").trim()) problems.push(`image without alt: ${img.src}`);
  }
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const raw = /\\\\[([].{0,40}/.exec(walker.currentNode.data);
    if (raw && !walker.currentNode.parentElement.closest("pre, code, mjx-container, script"))
      problems.push(`formula is not typeset: ${raw[0]}`);
  }
  for (const math of article.querySelectorAll(".math"))
    if (!math.querySelector("mjx-container")) problems.push(`formula is not typeset: ${math.textContent.slice(0, 40)}`);
  for (const bad of article.querySelectorAll("mjx-merror, [data-mjx-error]"))
    problems.push(`formula is wrong: ${bad.getAttribute("data-mjx-error") ?? bad.textContent}`);
  return problems;
}"""

WIDER_THAN_THE_WINDOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (e) => e && e !== document.body && e !== document.documentElement &&
    (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
    .map((e) => `${e.tagName.toLowerCase()}.${e.className} ends at ${Math.round(e.getBoundingClientRect().right)} of ${width}: `
      + e.textContent.trim().slice(0, 40)).concat(["the page scrolls sideways"]);
}"""

CUT_FORMULAS = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  return [...document.querySelectorAll("mjx-container[display=true]")]
    .filter((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
    .map((e) => `formula is ${e.scrollWidth} wide in a column of ${e.clientWidth}; break it: ${e.textContent.slice(0, 60)}`);
}"""

BARRIERS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => {
    const element = document.querySelector(node.target[0]);
    return [rule.id, Boolean(element?.closest("article")), `${rule.id} (${rule.help}): ${node.html.slice(0, 160)}`];
  }));
}"""


@pytest.fixture(scope="module")
def phone(chromium):
    """From the file system, at 390 px, light."""
    return browser.visit(browser.context(chromium, size=browser.PHONE), INSIDE)


@pytest.fixture(scope="module")
def desk(chromium):
    """From localhost, at 1280 px, dark; with the address."""
    with browser.served() as address:
        yield browser.visit(browser.context(chromium, mode="dark"), address), address


def barriers(visit) -> tuple[list[str], list[str]]:
    """What axe-core finds in the text, and in the theme's frame around it."""
    visit.page.evaluate(browser.AXE.read_text(encoding="utf8"))
    found = visit.page.evaluate(BARRIERS)
    return [text for _, ours, text in found if ours], [text for rule, ours, text in found if not ours and rule not in FRAME]


def test_the_book_is_built():
    assert PAGES, browser.NOT_BUILT
    assert browser.AXE.exists(), "axe-core is missing; run: make env"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_the_phone_from_a_file(phone, name):
    phone.open(INSIDE + name)
    assert phone.outside == [], "nothing outside the book may be asked for"
    assert phone.failed == [] and phone.errors == []
    assert phone.page.evaluate(PROBLEMS_OF_A_PAGE) == []
    assert phone.page.evaluate(WIDER_THAN_THE_WINDOW) == []
    text, frame = barriers(phone)
    assert text == [], "in the text"
    assert frame == [], "in the theme's frame: mend it by style or setting, or name it in FRAME with the reason"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_the_desk_from_localhost_in_the_dark(desk, name):
    visit, address = desk
    visit.open(address + name)
    assert visit.outside == [], "nothing outside the book may be asked for"
    assert visit.failed == [] and visit.errors == []
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert visit.page.evaluate(WIDER_THAN_THE_WINDOW) == []
    text, frame = barriers(visit)
    assert text == [], "in the text"
    assert frame == [], "in the theme's frame: mend it by style or setting, or name it in FRAME with the reason"
    assert visit.page.evaluate(CUT_FORMULAS) == []  # on the phone they scroll


def test_the_bare_address_leads_to_the_first_page(phone):
    phone.page.goto(INSIDE + "index.html")
    phone.page.wait_for_url("**/book/index.html")


@pytest.mark.parametrize("place", ["file", "localhost"])
def test_search_finds_a_word_of_the_text(phone, desk, place):
    visit, inside = (phone, INSIDE) if place == "file" else desk
    visit.open(inside + "search.html?q=residual")
    first = visit.page.wait_for_selector("#search-results li a")
    assert visit.outside == [] and visit.failed == [] and visit.errors == []
    first.click()
    visit.page.wait_for_load_state("load")
    assert "residual" in visit.page.inner_text("article").lower()


def test_the_theme_button_turns_light_and_dark_and_is_remembered(desk):
    visit, address = desk
    visit.open(address + "book/index.html")
    shown = set()
    for _ in range(3):  # system, light, dark
        visit.page.locator(".theme-switch-button").locator("visible=true").first.click()
        mode = visit.page.evaluate("document.documentElement.dataset.mode")
        theme = visit.page.evaluate("document.documentElement.dataset.theme")
        visit.page.reload()
        assert visit.page.evaluate("document.documentElement.dataset.theme") == theme, f"{mode} is forgotten"
        shown.add(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(shown) == 2, shown


def test_the_keyboard_reaches_the_text_and_shows_where_it_is(desk):
    visit, address = desk
    visit.open(address + "book/index.html")
    for _ in range(80):
        visit.page.keyboard.press("Tab")
        if visit.page.evaluate("Boolean(document.activeElement.closest('article'))"):
            break
    outlines = [  # a card draws its ring around the whole of it, by a pseudo-element of its link
        visit.page.evaluate(f"getComputedStyle(document.activeElement{part}).outlineStyle") for part in ("", ", '::after'")
    ]
    assert visit.page.evaluate("Boolean(document.activeElement.closest('article'))") and set(outlines) != {"none"}


def test_an_output_figure_is_turned_over_in_the_dark_and_small():
    heavy = [f"{p.name}: {p.stat().st_size // 1000} KB" for p in (browser.HTML / "_images").glob("*.svg") if p.stat().st_size > 150_000]
    assert not heavy, f"{heavy}: pass rasterized=True for what has many parts (learndyn.figures says when)"


# The checks themselves are checked on pages with one fault each.
FAULTS = {
    "outside": ('<img src="https://example.org/a.png" alt="a">', "outside"),
    "missing file": ('<img src="missing.png" alt="a">', "failed"),
    "script error": ("<script>undefinedName()</script>", "errors"),
    "console error": ("<script>console.error('x')</script>", "errors"),
    "image without alt": ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "problems"),
    "formula left raw": ("<p>\\(x^2\\)</p>", "problems"),
    "formula not typeset": ('<span class="math">x</span>', "problems"),
    "too wide": ('<div style="width: 800px">wide</div>', "wide"),
    "low contrast": ('<p style="color: #bbb">pale</p>', "barriers"),
    "button without name": ("<button></button>", "barriers"),
}


@pytest.mark.parametrize("fault", ["none", *FAULTS])
def test_each_fault_is_seen(chromium, tmp_path: Path, fault):
    html, kind = FAULTS.get(fault, ("<p>good</p>", None))
    head = '<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>t</title></head>'
    (tmp_path / "page.html").write_text(f"{head}<body><main><article><h1>Title</h1>{html}</article></main></body></html>")
    context = browser.context(chromium, size=browser.PHONE)
    visit = browser.visit(context, tmp_path.as_uri()).open((tmp_path / "page.html").as_uri())
    seen = {
        "outside": visit.outside,
        "failed": visit.failed,
        "errors": visit.errors,
        "problems": visit.page.evaluate(PROBLEMS_OF_A_PAGE),
        "wide": visit.page.evaluate(WIDER_THAN_THE_WINDOW),
        "barriers": barriers(visit)[0],
    }
    context.close()
    assert bool(seen.get(kind)) == (kind is not None)
    if kind is None:
        assert not any(seen.values()), seen

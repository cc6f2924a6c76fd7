"""Every page as a reader sees it, for looking at: `python tests/book/screenshots.py [PART OF A NAME ...]`.

Writes full-page pictures at the widths of a desk and a phone, light and dark, into _build/screenshots.
"""

import sys

import browser



FOLDER = browser.HTML.parent / "screenshots"


def main(wanted: list[str]) -> None:
    if not browser.executable():
        sys.exit(f"screenshots: {browser.NO_BROWSER}")
    pages = [page for page in browser.pages() if not wanted or any(part in page for part in wanted)]
    if not pages:
        sys.exit(f"screenshots: no page matches {wanted}" if browser.pages() else f"screenshots: {browser.NOT_BUILT}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    inside = browser.HTML.as_uri() + "/"
    with browser.launched() as chromium:
        for size in (browser.DESK, browser.PHONE):
            for mode in ("light", "dark"):
                visit = browser.visit(browser.context(chromium, size=size, mode=mode), inside)
                for k, page in enumerate(pages, 1):
                    visit.open(inside + page)
                    name = page.removesuffix(".html").replace("/", "-")
                    visit.page.screenshot(path=FOLDER / f"{name}-{size['width']}-{mode}.png", full_page=True)
                    print(f"\rscreenshots: {size['width']} px, {mode}, page {k} of {len(pages)} ", end="", flush=True)
    print(f"\nscreenshots: {FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1:])

// What the theme's frame lacks for readers by ear or without a server; book/_ext/accessible.py adds it to each page.

// From the file system a page may not fetch another one, so the search lists its finds without excerpts.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined")
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

document.addEventListener("DOMContentLoaded", () => {
  // The name of a control has to contain the words that are seen on it.
  for (const button of document.querySelectorAll("button.search-button-field")) button.removeAttribute("aria-label");
  const root = document.documentElement;
  const words = { light: "Light", dark: "Dark", auto: "System Settings" };
  const name = () => {
    for (const button of document.querySelectorAll("button.theme-switch-button"))
      button.setAttribute("aria-label", `Color mode: ${words[root.dataset.mode] ?? root.dataset.mode}`);
  };
  name();
  new MutationObserver(name).observe(root, { attributeFilter: ["data-mode"] });

  // The side bar holds the title as well as the list of chapters, so it is a region of its own.
  const bar = document.querySelector("div.bd-sidebar-primary");
  bar?.setAttribute("role", "region");
  bar?.setAttribute("aria-label", "Book");
});

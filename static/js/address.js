/* The address is the state of a page. What follows from it when htmx changes it without loading a page. */

/* The other language is the same page with the same query. */
function carryToOtherLanguage() {
  for (const link of document.querySelectorAll("a[hreflang]")) link.search = location.search;
}

/* Filters that are not set do not stand in the address. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches(".filters")) return;
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});

let shown = location.search;
document.addEventListener("htmx:replacedInHistory", () => {
  shown = location.search;
  carryToOtherLanguage();
});

/* Back to an entry that a footnote's link left behind: its address says another state than the page now shows. */
addEventListener("popstate", () => {
  if (location.search !== shown) location.reload();
});

/* A form of filters whose request failed is sent as a plain form, so that the reader sees what the server says.
   The memory panel has its own message (panel.js). */
for (const failure of ["sendError", "timeout", "responseError"]) {
  document.addEventListener(`htmx:${failure}`, (event) => {
    if (event.detail.target?.id !== "result") event.detail.elt.closest("form")?.submit();
  });
}

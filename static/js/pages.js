/* What follows on any page when htmx has changed a part of it. The address is the state of a page. */

/* An answer settles element by element, dozens of them where every field has its message. What follows from the whole
   follows once: scripts listen for `answered`. */
let answering = false;
document.addEventListener("htmx:afterSettle", () => {
  if (answering) return;
  answering = true;
  queueMicrotask(() => {
    answering = false;
    document.dispatchEvent(new Event("answered"));
  });
});

/* The other language is the same page with the same query. */
function carryToOtherLanguage() {
  for (const link of document.querySelectorAll("a[hreflang]")) link.search = location.search;
}

let shown = location.search;
document.addEventListener("htmx:replacedInHistory", () => {
  shown = location.search;
  carryToOtherLanguage();
});

/* Back to an entry that a footnote's link left behind: its address says another state than the page now shows. */
addEventListener("popstate", () => {
  if (location.search !== shown) location.reload();
});

/* Filters that are not set do not stand in the address. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches(".filters")) return;
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});

/* How many filters are set, beside the control that folds them; how many models are ticked, beside the button. */
const NO_FILTERS = ["", "q", "sort", "board", "cards", "cards2"];
function count() {
  for (const fold of document.querySelectorAll(".fold")) {
    const set = [...fold.querySelectorAll("input, select")].filter(
      (each) => !NO_FILTERS.includes(each.name) && (each.type === "checkbox" ? each.checked : each.value),
    );
    const said = fold.querySelector("[data-active]");
    said.querySelector("b").textContent = set.length;
    said.hidden = set.length === 0;
  }
  const ticked = document.querySelectorAll("input[form=compare]:checked").length;
  const output = document.querySelector("[data-ticked]");
  if (output && ticked) output.textContent = output.dataset.ticked.replace("{number}", ticked);
}
for (const name of ["change", "answered"]) document.addEventListener(name, count);
count();

/* A message that came to stand beside a field belongs to it, as if the page had been loaded with it. */
document.addEventListener("answered", () => {
  for (const message of document.querySelectorAll(".field-error[id]")) {
    const control = document.getElementById(message.id.replace(/_error$/, ""));
    if (message.textContent.trim()) {
      control?.setAttribute("aria-invalid", "true");
      control?.setAttribute("aria-describedby", message.id);
    } else {
      control?.removeAttribute("aria-invalid");
      control?.removeAttribute("aria-describedby");
    }
  }
});

/* A form of filters whose request failed is sent as a plain form, so that the reader sees what the server says.
   The memory panel has its own message (panel.js). */
for (const failure of ["sendError", "timeout", "responseError"]) {
  document.addEventListener(`htmx:${failure}`, ({ detail }) => {
    if (detail.elt.matches(".filters")) detail.elt.submit();
  });
}

/* The calculator opens with the model that was looked at last. */
const LAST_MODEL = "model";
const looked =
  location.pathname.match(/\/models\/([\w-]+)\/$/)?.[1] ?? new URLSearchParams(location.search).get("model");
try {
  if (looked && document.getElementById("result")) localStorage.setItem(LAST_MODEL, looked);
  const last = localStorage.getItem(LAST_MODEL);
  for (const link of last ? document.querySelectorAll("header nav a[href*='/calculator/']") : []) {
    const query = new URLSearchParams(link.search);
    query.set("model", last);
    link.search = query;
  }
} catch {
  // a browser that keeps nothing opens it with the model of the site
}

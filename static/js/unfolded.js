/* What a reader has opened stays open: through an answer that replaces it, and through a change of language.
   Disclosures are known by their id; the tab remembers them for each page, whatever its language. */

const KEY = `unfolded:${location.pathname.replace(/^\/[^/]+/, "")}`;

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
const states = stored();

function restore() {
  for (const [id, open] of Object.entries(states)) {
    const box = document.getElementById(id);
    if (box?.tagName === "DETAILS") box.open = open;
  }
}

document.addEventListener(
  "click",
  (event) => {
    const box = event.target.closest?.("summary")?.parentElement;
    if (!box?.id) return;
    states[box.id] = !box.open; // before the click has its effect
    try {
      sessionStorage.setItem(KEY, JSON.stringify(states));
    } catch {
      /* private windows may forbid it: it then holds for this page alone */
    }
  },
  { capture: true },
);
document.addEventListener("htmx:afterSwap", restore);
document.addEventListener("htmx:oobAfterSwap", restore);
restore();

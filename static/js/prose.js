/* Shows under a text box what readers will see. The server writes it, so that it cannot differ from the page. */

const PAUSE_MS = 300; // after the last key
const MODEL = ["config", "context_tokens", "context_extended_tokens"]; // what figures in a text are computed from

async function preview(box, shown) {
  const body = new FormData();
  body.set("text", box.value);
  body.set("field", box.dataset.field);
  body.set("language", box.dataset.language);
  if (box.value.includes("{")) {
    for (const name of MODEL) body.set(name, box.form.elements[name]?.value ?? "");
  }
  body.set("csrfmiddlewaretoken", box.form.elements.csrfmiddlewaretoken.value);
  const asked = box.value;
  const answer = await fetch(box.dataset.prose, { method: "POST", body });
  if (answer.ok && box.value === asked) shown.innerHTML = await answer.text();
}

function watch(box) {
  const shown = document.createElement("div");
  shown.className = "prose-preview";
  shown.setAttribute("aria-live", "polite");
  box.after(shown);
  let waiting = 0;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, PAUSE_MS, box, shown);
  });
  if (box.value) preview(box, shown);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("textarea[data-prose]")) watch(box);
});

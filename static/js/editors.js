/* What Django's pages lack: names for the boxes that its script makes of a list (theirs is what is chosen, which is
   nothing at first), and a question before what was typed is left behind. */

function name(select) {
  const text = select.getAttribute("aria-label") ?? select.labels[0]?.textContent.trim().replace(/[:：]$/, "");
  const made = select.nextElementSibling;
  if (!text || !made?.classList.contains("select2")) return;
  for (const box of made.querySelectorAll("[role=combobox], [role=textbox]")) box.setAttribute("aria-label", text);
}

function nameAll() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) name(select);
}

globalThis.django?.jQuery(nameAll); // in the order of its own callbacks: after those that make the boxes
document.addEventListener("formset:added", () => setTimeout(nameAll));

const TICKS = ".action-select, #action-toggle, [name=action]"; // in a list: nothing is lost with them
let typed = document.querySelector(".change-form .errornote") !== null; // refused, and shown once more

document.addEventListener("input", ({ target }) => {
  if (target.form?.method === "post" && !document.body.matches(".login") && !target.matches(TICKS)) typed = true;
});
document.addEventListener("submit", ({ target }) => {
  if (target.closest("#content")) typed = false;
});
addEventListener("beforeunload", (event) => {
  if (typed) event.preventDefault();
});

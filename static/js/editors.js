/* Names for the boxes that Django's script makes of a list: theirs is what is chosen, which is nothing at first. */

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

/* Copies a command. Without this file the buttons stay hidden and the text can be selected. */
(() => {
  "use strict";
  if (!navigator.clipboard) return;

  const reveal = () => { for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false; };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const status = document.getElementById("copied");
    const source = document.getElementById(button.dataset.copy);
    const label = button.dataset.label || (button.dataset.label = button.textContent);
    let said = button.dataset.copied;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      said = button.dataset.failed;
    }
    button.textContent = said;
    if (status) status.textContent = said;
    setTimeout(() => { button.textContent = label; if (status) status.textContent = ""; }, 2500);
  });

  document.addEventListener("htmx:afterSettle", reveal);
  reveal();
})();

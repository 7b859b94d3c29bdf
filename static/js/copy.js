/* Copies a command, or the address of the page. Without this file the buttons stay hidden. */

const SAID_MS = 2500; // how long a button says what came of it

function reveal() {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

/* What came of it, in the words that the button brought along. */
async function copied({ copy, copied: done, failed }) {
  try {
    await navigator.clipboard.writeText(copy ? document.getElementById(copy).textContent : location.href);
    return done;
  } catch {
    return failed;
  }
}

async function answer(event) {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const status = document.getElementById("copied");
  button.dataset.label ||= button.textContent; // a second press must not take the answer for the label
  const said = await copied(button.dataset);
  button.textContent = said;
  if (status) status.textContent = said;
  setTimeout(() => {
    button.textContent = button.dataset.label;
    if (status) status.textContent = "";
  }, SAID_MS);
}

if (navigator.clipboard) {
  document.addEventListener("click", answer);
  document.addEventListener("answered", reveal);
  reveal();
}

/* Remembers the reader's cards on this machine and adds them to links, so that addresses carry them and pages need no
   cookie. Without this file the choice lasts as long as the address. */

const KEY = "hardware";
const PAGES = /^\/(en|zh-hans)\/(models|benchmarks|compare|calculator)\//;
const SETS = /^\/(en|zh-hans)\/accelerators\//;

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function store(value) {
  try {
    if (value) localStorage.setItem(KEY, JSON.stringify(value));
    else localStorage.removeItem(KEY);
  } catch {
    /* private windows may forbid it: the address still carries the choice */
  }
}

function remember() {
  const query = new URLSearchParams(location.search);
  const box = document.querySelector("[data-hardware]");
  if (!box || box.querySelector("[aria-invalid]") || SETS.test(location.pathname)) return;
  if (query.get("card")) store({ card: query.get("card"), cards: query.get("cards") || "1" });
  else if (query.has("card")) store(null);
}

/* The address must say what the page shows, so a page that was opened without the cards is opened again with them. */
function restore() {
  const mine = stored();
  const select = document.querySelector("[data-hardware] select");
  const query = new URLSearchParams(location.search);
  if (!mine || !select || select.form.method !== "get" || query.has("card")) return;
  if (![...select.options].some((option) => option.value === mine.card)) return;
  query.set("card", mine.card);
  query.set("cards", mine.cards);
  location.replace(`${location.pathname}?${query}${location.hash}`);
}

function carry() {
  const mine = stored();
  if (!mine || typeof mine.card !== "string") return;
  for (const link of document.querySelectorAll("a[href]:not([data-clear-hardware])")) {
    const target = new URL(link.href);
    if (target.origin !== location.origin || !PAGES.test(target.pathname) || target.searchParams.has("card")) continue;
    target.searchParams.set("card", mine.card);
    target.searchParams.set("cards", mine.cards);
    link.href = target.pathname + target.search + target.hash;
  }
  for (const form of document.querySelectorAll("form[method=get]")) {
    if (!PAGES.test(new URL(form.action).pathname) || form.elements.card) continue;
    for (const name of ["card", "cards"]) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name, value: mine[name] });
      form.append(field);
    }
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear-hardware]")) store(null);
});
for (const name of ["htmx:afterSettle", "htmx:replacedInHistory"]) {
  document.addEventListener(name, () => {
    remember();
    carry();
  });
}
remember();
restore();
carry();

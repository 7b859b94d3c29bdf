/* Remembers the reader's cards on this machine and adds them to links, so that addresses carry them and pages need no
   cookie. Without this file the choice lasts as long as the address. */

const KEY = "hardware";
const NAMES = ["card", "cards", "card2", "cards2"];
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

/* The cards of an address: those of a second kind only where there is one. */
function named(query) {
  const mine = { card: query.get("card"), cards: query.get("cards") || "1" };
  return query.get("card2") ? { ...mine, card2: query.get("card2"), cards2: query.get("cards2") || "1" } : mine;
}

function put(query, mine) {
  for (const name of NAMES.filter((each) => mine[each])) query.set(name, mine[name]);
}

function remember() {
  const query = new URLSearchParams(location.search);
  const box = document.querySelector("[data-hardware]");
  if (!box || box.querySelector("[aria-invalid]") || SETS.test(location.pathname)) return;
  if (query.get("card")) store(named(query));
  else if (query.has("card")) store(null);
}

/* The address must say what the page shows, so a page that was opened without the cards is opened again with them. */
function restore() {
  const mine = stored();
  const select = document.querySelector("[data-hardware] select");
  const query = new URLSearchParams(location.search);
  if (!mine || !select || select.form.method !== "get" || query.has("card")) return;
  if (![...select.options].some((option) => option.value === mine.card)) return;
  put(query, mine);
  location.replace(`${location.pathname}?${query}${location.hash}`);
}

function carry() {
  const mine = stored();
  if (!mine || typeof mine.card !== "string") return;
  for (const link of document.querySelectorAll("a[href]:not([data-clear-hardware], svg a)")) {
    const target = new URL(link.href);
    if (target.origin !== location.origin || !PAGES.test(target.pathname) || target.searchParams.has("card")) continue;
    put(target.searchParams, mine);
    link.href = target.pathname + target.search + target.hash;
  }
  for (const form of document.querySelectorAll("form[method=get]")) {
    if (!PAGES.test(new URL(form.action).pathname) || form.elements.card) continue;
    for (const name of NAMES.filter((each) => mine[each])) {
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

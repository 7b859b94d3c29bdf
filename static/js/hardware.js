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

const same = (one, other) => NAMES.every((name) => (one?.[name] || "") === (other?.[name] || ""));
const inAddress = () => {
  const query = new URLSearchParams(location.search);
  return query.get("card") && !SETS.test(location.pathname) ? named(query) : null;
};

/* Kept is what the reader chose here, never what came with somebody's link. */
function keep(event) {
  const box = event.target.closest?.("[data-hardware]");
  if (!box || !NAMES.includes(event.target.name)) return;
  const fields = [...box.querySelectorAll("select[name], input[name]")];
  if (!fields.every((field) => field.validity.valid)) return;
  const chosen = new URLSearchParams(fields.map((field) => [field.name, field.value]));
  store(chosen.get("card") ? named(chosen) : null);
}

/* Says that the cards shown came with the link, and offers the reader's own. */
function tellWhose() {
  const notice = document.querySelector(".whose");
  if (!notice) return;
  const [shown, mine] = [inAddress(), stored()];
  notice.hidden = !shown || same(shown, mine);
  if (notice.hidden) return;
  const form = notice.closest("form");
  if (form) (form.closest(".instrument") ?? form).before(notice); // in view, also where the form is folded
  const option = [...document.querySelectorAll("#card option")].find((each) => each.value === mine?.card);
  for (const part of notice.querySelectorAll("[data-mine], [data-show-mine]")) part.hidden = !option;
  if (!option) return;
  notice.querySelector("[data-mine] b").textContent = `${mine.cards} × ${option.text}${mine.card2 ? " + …" : ""}`;
  const query = new URLSearchParams(location.search);
  for (const name of NAMES) query.delete(name);
  put(query, mine);
  notice.querySelector("[data-show-mine]").href = `?${query}`;
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
  const mine = inAddress() ?? stored();
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

document.addEventListener("change", keep);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear-hardware]") && same(inAddress(), stored())) store(null);
  if (event.target.closest("[data-keep]")) {
    store(inAddress());
    tellWhose();
  }
});
for (const name of ["answered", "htmx:replacedInHistory"]) {
  document.addEventListener(name, () => {
    tellWhose();
    carry();
  });
}
restore();
tellWhose();
carry();

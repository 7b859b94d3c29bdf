/* Suggestions below a search field, and lists of cards that are filtered as one types: comboboxes as ARIA 1.2 has them.
   Without this file the search field is a plain form, and the cards are a plain list. */

const PAUSE_MS = 120; // between the last key and the question
const RECENT = "recent-cards";
const MOST_RECENT = 5;

const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

/* Joins an input with the list below it. `offer(text)` fills the list; `choose(option)` takes one. With `best` the Enter
   key takes the first where none is marked, else it is the form's. */
function combine(input, list, offer, choose, best = false) {
  let active = null;
  let listed = null; // what the list answers
  let waiting = 0;
  const options = () => [...list.querySelectorAll("[role=option]")];

  function mark(option) {
    active?.setAttribute("aria-selected", "false");
    active = option ?? null;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    if (active) input.setAttribute("aria-activedescendant", active.id);
    else input.removeAttribute("aria-activedescendant");
  }
  function show(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) mark();
  }
  async function ask() {
    clearTimeout(waiting);
    const asked = input.value.trim();
    if ((await offer(asked)) === false) return; // overtaken by a later question
    listed = asked;
    mark();
    show(document.activeElement === input && list.childElementCount > 0);
  }
  function take(option) {
    show(false);
    choose(option);
  }
  function step(by) {
    const all = options();
    if (!all.length) return;
    const at = all.indexOf(active);
    mark(all[at < 0 && by < 0 ? all.length - 1 : (at + by + all.length) % all.length]);
  }

  for (const [name, value] of Object.entries({
    role: "combobox",
    autocomplete: "off",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  }))
    input.setAttribute(name, value);
  list.setAttribute("role", "listbox");
  list.hidden = true;

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  /* Somebody may be faster than the list. */
  async function settled() {
    if (list.hidden || listed !== input.value.trim()) await ask();
  }
  let moving = null;
  async function move(by) {
    const moved = settled().then(() => step(by));
    moving = moved;
    await moved;
    if (moving === moved) moving = null;
  }
  async function takeMarked() {
    await moving;
    if (active) take(active);
    else input.form?.requestSubmit();
  }
  async function takeBest() {
    await settled();
    const [first] = options();
    if (first) take(first);
  }
  /* What a key means now; nothing where it is the field's own. */
  function meaning(key) {
    if (key === "ArrowDown") return () => move(1);
    if (key === "ArrowUp") return () => move(-1);
    if (key === "Enter" && (active || moving)) return takeMarked;
    if (key === "Enter" && best && !list.hidden) return takeBest;
    if (key === "Escape" && !list.hidden) return () => show(false);
    return null;
  }
  input.addEventListener("keydown", (event) => {
    const meant = event.isComposing ? null : meaning(event.key); // a Chinese input method has its own list
    if (!meant) return;
    event.preventDefault();
    meant();
  });
  input.addEventListener("blur", () => {
    clearTimeout(waiting);
    show(false);
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  return { ask, show, isOpen: () => !list.hidden };
}

/* Fetches, and gives a newer question precedence: then the answer is null. */
function asker(address) {
  let asked = null;
  return async (text) => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = await fetch(`${address}?${new URLSearchParams({ q: text })}`, { signal });
      return answer.ok ? await answer.text() : "";
    } catch {
      return signal.aborted ? null : "";
    }
  };
}

function suggest(form) {
  const input = form.querySelector("input[type=search]");
  const ask = asker(form.dataset.suggest);
  const name = input.id || "site-search";
  const list = made("div", { id: `${name}-suggestions`, className: "suggestions" });
  list.setAttribute("aria-label", input.getAttribute("aria-label") || input.labels[0]?.textContent || "");
  input.after(list);
  const offer = async (text) => {
    const answer = text ? await ask(text) : "";
    if (answer === null) return false;
    list.innerHTML = answer;
    for (const each of list.querySelectorAll("[id]")) each.id = `${name}-${each.id}`;
    for (const each of list.querySelectorAll("[aria-labelledby]"))
      each.setAttribute("aria-labelledby", `${name}-${each.getAttribute("aria-labelledby")}`);
  };
  const { ask: begin } = combine(input, list, offer, (option) => location.assign(option.href));
  list.addEventListener("click", (event) => event.preventDefault());
  if (input.value && document.activeElement === input) begin(); // typed before this file was there
}

function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT)) || [];
  } catch {
    return [];
  }
}

function remember(slug) {
  const kept = [slug, ...recent().filter((other) => other !== slug)].slice(0, MOST_RECENT);
  try {
    localStorage.setItem(RECENT, JSON.stringify(kept));
  } catch {
    /* private windows may forbid it */
  }
}

/* Puts a field to type into over a list of cards, which still holds the answer. */
function pick(select) {
  const { id, dataset } = select;
  const input = made("input", { type: "text", id: `${id}-filter`, className: "picker", spellcheck: false });
  const list = made("div", { id: `${id}-options`, className: "suggestions" });
  const [label] = select.labels;
  const ask = asker(dataset.picker);
  const of = new Map([...select.options].map((option) => [option.value, option.text]));
  const shown = () => of.get(select.value) ?? select.value;

  for (const name of ["aria-invalid", "aria-describedby"])
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  if (label) label.htmlFor = input.id;
  list.setAttribute("aria-label", label?.textContent ?? "");
  select.classList.add("visually-hidden");
  select.tabIndex = -1;
  select.setAttribute("aria-hidden", "true");
  select.after(input, list);
  input.value = shown();

  const option = (slug, number) => {
    const line = made("div", { id: `${id}-option-${number}`, textContent: of.get(slug) });
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", "false");
    line.dataset.slug = slug;
    return line;
  };
  let number = 0;
  const group = (name, slugs) => {
    const box = made("div", {});
    const head = made("b", { id: `${id}-group-${number}`, textContent: name });
    box.setAttribute("role", "group");
    box.setAttribute("aria-labelledby", head.id);
    head.setAttribute("role", "presentation");
    box.append(head, ...slugs.map((slug) => option(slug, number++)));
    return box;
  };
  const everything = () => {
    const lately = recent().filter((slug) => of.has(slug));
    const vendors = [...select.querySelectorAll("optgroup")].map((shelf) =>
      group(
        shelf.label,
        [...shelf.children].map((each) => each.value),
      ),
    );
    return [option("", number++), ...(lately.length ? [group(dataset.recent, lately)] : []), ...vendors];
  };
  const offer = async (text) => {
    number = 0;
    if (!text || text === shown()) {
      list.replaceChildren(...everything());
      return;
    }
    const answer = await ask(text);
    if (answer === null) return false;
    const slugs = JSON.parse(answer || "[]").filter((slug) => of.has(slug));
    const none = made("p", { className: "quiet", textContent: dataset.nothing });
    list.replaceChildren(...(slugs.length ? slugs.map((slug) => option(slug, number++)) : [none]));
  };
  const choose = ({ dataset: { slug } }) => {
    if (slug) remember(slug);
    if (select.value !== slug) {
      select.value = slug;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    input.value = shown();
  };
  const { ask: open, isOpen } = combine(input, list, offer, choose, true);
  input.addEventListener("click", () => isOpen() || open());
  input.addEventListener("focus", () => input.select());
  input.addEventListener("change", (event) => event.stopPropagation()); // no answer of the form
  input.addEventListener("input", (event) => event.stopPropagation());
  input.addEventListener("blur", () => {
    if (input.value.trim() === "" && select.value) choose({ dataset: { slug: "" } });
    input.value = shown();
  });
  select.addEventListener("change", () => {
    input.value = shown();
  });
  select.addEventListener("focus", () => input.focus()); // a message about it leads here
}

function enhance() {
  for (const form of document.querySelectorAll("[data-suggest]:not([data-ready])")) {
    form.dataset.ready = "";
    suggest(form);
  }
  for (const select of document.querySelectorAll("select[data-picker]:not([data-ready])")) {
    select.dataset.ready = "";
    pick(select);
  }
}

document.addEventListener("answered", enhance);
enhance();

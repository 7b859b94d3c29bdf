/* The controls of the panel, and what a pending or failed request may show.
   The page works without this file: the number field and the submit button are a plain form.
   A module runs once, however often the panel is swapped in; so elements are looked up when something happens. */

const SLOW_MS = 400; // after which an old figure is taken away
const NEEDED = ["context", "sequences", "cards", "cards2"];
const FAILURES = ["sendError", "timeout", "responseError", "swapError"];

const byId = (id) => document.getElementById(id);
const stops = () => byId("context-slider").dataset.stops.split(" ").map(Number);
const grouped = new Intl.NumberFormat("en");

/* The slider stands at the stop nearest to what the number field says, and reads out the field's number. */
function follow() {
  const slider = byId("context-slider");
  if (!slider) return;
  const marks = stops();
  const tokens = Number(byId("context").value);
  const distance = (stop) => Math.abs(Math.log(stop / tokens));
  const nearest = marks.reduce((best, stop, i) => (distance(stop) < distance(marks[best]) ? i : best), 0);
  if (tokens > 0) slider.value = nearest;
  slider.style.setProperty("--at", `${(100 * slider.value) / (marks.length - 1 || 1)}%`);
  slider.setAttribute("aria-valuetext", `${grouped.format(tokens)} ${slider.dataset.unit}`);
}

/* From the moment a control changes until the answer is there, the figure is not that of the controls, unless
   instant.js has written it; what follows from it then waits, and is pale. */
const answers = () => [byId("result"), byId("cards-that-fit"), byId("growth"), byId("answers")].filter(Boolean);
const written = () => byId("result").dataset.instant === byId("context").value;
const waitingFor = () => answers().filter((part) => part.id !== "result" || !written());
let waiting = 0;
function pending() {
  byId("result").classList.toggle("ahead", written());
  for (const part of waitingFor()) part.setAttribute("aria-busy", "true");
  waiting ||= setTimeout(() => {
    for (const part of waitingFor()) part.classList.add("slow");
  }, SLOW_MS);
}
function settled() {
  clearTimeout(waiting);
  waiting = 0;
  for (const part of answers()) {
    part.removeAttribute("aria-busy");
    part.classList.remove("slow", "ahead");
  }
}
const ours = (event) => event.detail.target?.id === "result";
const inPanel = (event) => event.target.closest?.("#workload") && !event.target.matches(".picker"); // it asks by its list

function onInput(event) {
  if (!inPanel(event)) return;
  if (event.target.id !== "context-slider") delete byId("result").dataset.instant;
  follow();
  if (!written()) pending(); // else the page is still while the thumb moves
}

function onChange(event) {
  if (!inPanel(event)) return;
  const control = event.target;
  // No number at all, or nothing where there is no default to fall back on: back to the value the page came with.
  const missing = control.value === "" && (NEEDED.includes(control.name) || control.validity.badInput);
  if (control.type === "number" && missing) control.value = control.defaultValue;
  follow();
  pending();
}

// Capture: the field must hold the new value before htmx reads the form for its request.
document.addEventListener("input", onInput, { capture: true });
document.addEventListener("change", onChange, { capture: true });

document.addEventListener("click", (event) => {
  const step = Number(event.target.dataset?.step);
  if (!step || !inPanel(event)) return;
  const tokens = Number(byId("context").value);
  const next = step > 0 ? stops().find((stop) => stop > tokens) : stops().findLast((stop) => stop < tokens);
  if (next === undefined) return;
  const slider = byId("context-slider");
  slider.value = stops().indexOf(next);
  for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
});

/* One request for one state: what is shown already is not asked for again. */
const state = () => new URLSearchParams(new FormData(byId("workload"))).toString();
let shown = "";
let asking = "";
const failed = () => byId("result").classList.contains("failed");

/* What the site says where it refuses (429: why, and when to try again), in the page's language. A proxy's own refusal has
   no such sentence. */
function refusal({ xhr }) {
  if (xhr?.status !== 429) return "";
  return new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("main .lede")?.textContent ?? "";
}

let retried = false;
document.addEventListener("htmx:configRequest", (event) => {
  if (!ours(event)) return;
  if (state() === shown && !failed() && event.detail.triggeringEvent?.type !== "submit") {
    event.preventDefault();
    settled();
    return;
  }
  asking = state();
  pending();
  // The button that was pressed goes away with the message it stands in; its focus must not.
  retried ||= byId("result").querySelector(".stale").contains(document.activeElement);
  // The server is told which control changed. A new engine stays new until its formats are there,
  // also when a later change overtook the request that asked for them.
  const engine = byId("engine");
  const known = engine.value === byId("formats").dataset.engine;
  event.detail.headers["HX-Trigger-Name"] = (known ? event.detail.triggeringEvent?.target : engine)?.name || "";
});

for (const failure of FAILURES) {
  document.addEventListener(`htmx:${failure}`, (event) => {
    if (!ours(event)) return;
    settled();
    for (const part of answers()) part.classList.add("failed");
    const message = byId("result").querySelector(".stale");
    const sentence = message.querySelector("span");
    sentence.dataset.own ??= sentence.textContent; // another failure of the same figure may be of another kind
    sentence.textContent = refusal(event.detail) || sentence.dataset.own;
    message.hidden = false;
    if (retried && document.activeElement === document.body) message.querySelector("button").focus();
  });
}

let unchanged = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (ours(event)) unchanged = state() === asking;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "result") return;
  if (retried && document.activeElement === document.body) byId("context-slider").focus();
  retried = false;
  settled();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "workbench") {
    shown = byId("workload") ? state() : ""; // all was replaced, controls too
    settled();
  }
  if (event.target.id !== "result") return;
  shown = unchanged ? state() : "";
  const faults = [...document.querySelectorAll("#workload .field-error")].map((message) => message.textContent.trim());
  byId("announcement").textContent = faults.filter(Boolean).join(" ") || byId("result").dataset.summary || "";
});

document.addEventListener("htmx:load", follow); // also when the panel itself has been swapped in
follow();

/* What a reader changed before the scripts were there has not been asked about yet. */
function changed({ options, selectedIndex, type, value, defaultValue, checked, defaultChecked }) {
  if (options) {
    const first = [...options].findIndex((option) => option.defaultSelected);
    return selectedIndex !== Math.max(0, first);
  }
  if (type === "number") return value !== defaultValue;
  return type === "checkbox" && checked !== defaultChecked;
}
addEventListener("load", () => {
  const form = byId("workload");
  if (!form) return;
  if ([...form.elements].some(changed)) form.requestSubmit();
  else shown = state();
});

/* What a reader has opened stays open: through an answer that replaces it, and through a change of language.
   Disclosures are known by their id; the tab remembers them for each page, whatever its language. */

const UNFOLDED = `unfolded:${location.pathname.replace(/^\/[^/]+/, "")}`;

function unfolded() {
  try {
    return JSON.parse(sessionStorage.getItem(UNFOLDED)) ?? {};
  } catch {
    return {};
  }
}
const states = unfolded();

function unfold() {
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
      sessionStorage.setItem(UNFOLDED, JSON.stringify(states));
    } catch {
      /* private windows may forbid it: it then holds for this page alone */
    }
  },
  { capture: true },
);
document.addEventListener("htmx:afterSwap", unfold);
document.addEventListener("htmx:oobAfterSwap", unfold);
unfold();

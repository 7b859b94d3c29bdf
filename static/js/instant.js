/* The answer at the stop under the thumb, in the same frame: from the data that the page brought along.
   Loaded before panel.js, which asks the server once the slider has settled, and whose answer must be the same. */

const BAR = { width: 1000, gap: 2, least: 3 };
const GIB = 2 ** 30;

const byId = (id) => document.getElementById(id);
const grouped = new Intl.NumberFormat("en");

/* As `calculator/figures.py` writes them. Division by a power of two is exact; by 10^9, whole numbers are rounded. */
function fixed(value, places) {
  const [whole, rest] = value.toFixed(places).split(".");
  return `${grouped.format(whole)}.${rest}`;
}
function gib(bytes) {
  const amount = bytes / GIB;
  if (amount > 0 && amount < 0.005) return "<0.01";
  return fixed(amount, amount < 10 ? 2 : 1);
}
function gb(bytes) {
  const places = bytes < 10 ** 10 ? 2 : 1;
  const unit = 10 ** (9 - places);
  return fixed(Math.floor((bytes + unit / 2) / unit) / 10 ** places, places);
}
const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

/* As `_widths` of `calculator/panel.py`. */
function widths(parts, total) {
  const room = BAR.width - BAR.gap * (parts.filter(Boolean).length - 1);
  const found = parts.map((bytes) => (bytes ? Math.max(BAR.least, Math.floor((room * bytes) / total)) : 0));
  const largest = found.indexOf(Math.max(...found));
  found[largest] += room - found.reduce((sum, width) => sum + width, 0);
  return found;
}

function drawBar(result, names, parts, total, joint) {
  const bar = result.querySelector(".bar");
  let x = 0;
  widths(parts, total).forEach((width, i) => {
    const rect = bar.querySelector(`.part-${names[i]}`);
    rect?.setAttribute("x", x);
    rect?.setAttribute("width", width);
    x += width && width + BAR.gap;
  });
  const labels = [...result.querySelectorAll(".parts li")].map((item, i) => {
    const figure = gib(parts[i]);
    item.querySelector("b").textContent = figure;
    return `${item.querySelector("span").textContent} ${figure} GiB`;
  });
  bar.setAttribute("aria-label", labels.join(joint));
}

function writeFit(line, figures, words) {
  if (!line || !figures) return;
  const [state, needed, usable] = figures;
  const badge = line.querySelector(".badge");
  const room = line.querySelector(".room");
  [badge.className, badge.textContent] = [`badge ${words.states[state][0]}`, words.states[state][1]];
  const several = line.dataset.several ? 2 : 0;
  const text = words.room[several + (usable < needed ? 1 : 0)];
  room.textContent = filled(text, { needed: gib(needed), usable: gib(usable), amount: gib(Math.abs(usable - needed)) });
}

/* A fit for want of something else than memory has no figures; it stays, unless the answer at hand has some. */
const sameKind = (line, figures) => !line || Boolean(figures) === Boolean(line.dataset.figures);

/* Writes the answer at a context; false where the page did not bring it along. */
function show(tokens) {
  const source = byId("instant");
  if (!source) return false;
  const { parts: names, stops, words } = JSON.parse(source.textContent);
  const stop = stops.find(([at]) => at === tokens);
  const [mine, best] = [byId("verdict-mine"), byId("verdict-best")];
  if (!stop || !sameKind(mine, stop[3]) || !sameKind(best, stop[4])) return false;
  const [, parts, host] = stop;
  const total = parts.reduce((sum, bytes) => sum + bytes, 0);
  const values = { tokens: grouped.format(tokens), format: words.format, amount: gib(total), gb: gb(total) };
  const result = byId("result");
  result.querySelector(".figure output").textContent = values.amount;
  byId("also").textContent = filled(words.also, values);
  byId("also-ram").textContent = host ? filled(words.ram, { amount: gib(host) }) : "";
  drawBar(result, names, parts, total, words.bar);
  writeFit(mine, stop[3], words);
  writeFit(best, stop[4], words);
  const fits = mine ? ` · ${mine.dataset.label}: ${mine.querySelector(".badge").textContent}` : "";
  result.dataset.summary = filled(words.said, values) + fits;
  return true;
}

/* Other settings than those of the data at hand: the server must answer. */
function settings() {
  const form = byId("workload");
  const query = new URLSearchParams(new FormData(form));
  query.delete("context");
  return query.toString();
}
let known = ""; // the settings of the data at hand
let asked = "";
let unchanged = false;
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.target?.id === "result") asked = settings();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id === "result") unchanged = settings() === asked;
});
document.addEventListener("htmx:afterSettle", (event) => {
  // A new engine has brought its formats by now, which nobody changed.
  if (event.target.id === "result") known = unchanged ? settings() : "";
});
document.addEventListener("htmx:load", (event) => {
  if (event.target.id === "workbench") known = settings();
});
addEventListener("load", () => {
  // What was changed before the scripts came is asked about at this moment, by panel.js.
  setTimeout(() => {
    if (byId("workload") && !asked) known = settings();
  });
});

function onInput(event) {
  if (event.target.id !== "context-slider") return;
  const tokens = Number(event.target.dataset.stops.split(" ")[event.target.value]);
  byId("context").value = tokens;
  const instant = settings() === known && show(tokens);
  byId("result").dataset.instant = instant ? tokens : "";
}
document.addEventListener("input", onInput, { capture: true });

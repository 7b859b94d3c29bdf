/* A pasted config.json, and the hf_quant_config.json beside it, go along in the address, compressed, behind the #: that
   part never leaves the browser, so nothing of it is kept or logged, and yet the address can be shared, reloaded and
   opened in the other language.
   Without this file, or without CompressionStream, a pasted file lasts as long as the page. */

const NAME = "#config=";
const TEXTS = ["config", "quantization"]; // each a parameter behind the #
const LONGEST = 30_000; // characters of an address that every browser and most messengers take

const byId = (id) => document.getElementById(id);

async function through(bytes, stream) {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

async function packed(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw")));
}

/* Links to this page in the other language lead to the same, and what helps becomes a link. */
function carry() {
  for (const change of document.querySelectorAll("[data-query]")) {
    const link = document.createElement("a");
    link.href = `?source=config&${change.dataset.query}${location.hash}`;
    link.textContent = change.textContent;
    change.replaceChildren(link);
  }
  for (const link of document.querySelectorAll("a.lang")) {
    link.search = location.search;
    link.hash = location.hash;
  }
}

async function keep() {
  if (!byId("config")?.value || !byId("instant")) return;
  const given = TEXTS.filter((name) => byId(name)?.value);
  const parts = await Promise.all(given.map(async (name) => `${name}=${await packed(byId(name).value)}`));
  const hash = `#${parts.join("&")}`;
  if (hash.length > LONGEST) return;
  const query = new URLSearchParams({ source: "config" });
  for (const [name, value] of new FormData(byId("workload"))) {
    if (typeof value === "string" && value && !TEXTS.includes(name)) query.set(name, value);
  }
  history.replaceState(history.state, "", `${location.pathname}?${query}${hash}`);
  carry();
}

async function restore() {
  if (!location.hash.startsWith(NAME) || byId("config")?.value) return;
  const values = Object.fromEntries(new URLSearchParams(location.search));
  try {
    for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
      if (TEXTS.includes(name)) values[name] = await unpacked(text);
    }
  } catch {
    return; // cut off on its way: the page stays one to paste into
  }
  const headers = { "HX-Trigger-Name": "config" };
  await window.htmx.ajax("POST", location.pathname, { target: "#workbench", swap: "outerHTML", values, headers });
}

if ("CompressionStream" in window) {
  document.addEventListener("answered", keep);
  keep();
  restore();
}

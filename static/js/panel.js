/* The context slider and its number field, and what a pending or failed request may show.
   The page works without this file: the number field and the submit button are a plain form. */
(() => {
  "use strict";

  const slider = document.getElementById("context-slider");
  const field = document.getElementById("context");
  const form = document.getElementById("workload");
  if (!slider || !field || !form) return;

  const stops = slider.dataset.stops.split(" ").map(Number);
  const grouped = new Intl.NumberFormat("en");

  const paint = () => {
    const last = stops.length - 1 || 1;
    slider.style.setProperty("--at", `${(100 * slider.value) / last}%`);
    slider.setAttribute("aria-valuetext", `${grouped.format(field.value)} ${slider.dataset.unit}`);
  };

  const nearest = (tokens) =>
    stops.reduce((best, stop, index) =>
      Math.abs(Math.log(stop / tokens)) < Math.abs(Math.log(stops[best] / tokens)) ? index : best, 0);

  const follow = () => {
    const tokens = Number(field.value);
    if (tokens > 0) slider.value = nearest(tokens);
    paint();
  };

  // Capture: the field must hold the new value before htmx reads the form for its request.
  slider.addEventListener("input", () => { field.value = stops[slider.value]; paint(); }, true);
  field.addEventListener("input", follow);
  form.addEventListener("reset", () => requestAnimationFrame(follow));

  for (const button of form.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      const up = Number(button.dataset.step) > 0;
      const tokens = Number(field.value) || stops[0];
      const next = up ? stops.find((stop) => stop > tokens) : stops.findLast((stop) => stop < tokens);
      if (next === undefined) return;
      field.value = next;
      follow();
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  const result = () => document.getElementById("result");
  const ours = (event) => event.detail.target && event.detail.target.id === "result";
  const fail = (event) => {
    if (!ours(event)) return;
    result().removeAttribute("aria-busy");
    result().classList.add("failed");
    result().querySelector(".stale").hidden = false;
  };

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (ours(event)) result().setAttribute("aria-busy", "true");
  });
  document.body.addEventListener("htmx:sendError", fail);
  document.body.addEventListener("htmx:timeout", fail);
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 400) fail(event);
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (!ours(event)) return;
    document.getElementById("announcement").textContent = result().dataset.summary || "";
  });

  follow();
})();

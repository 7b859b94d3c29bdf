// The reader's theme. Runs before anything is drawn, so that the page does not flash; without it the system's theme holds.
(() => {
  const KEY = "theme";
  const root = document.documentElement;

  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  const stored = () => {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return ""; // storage is refused: the choice holds for this page
    }
  };

  const keep = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // as above
    }
  };

  show(stored());
  addEventListener("storage", (event) => {
    if (event.key === KEY) show(event.newValue);
  });
  addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("theme");
    const choice = place?.querySelector("select");
    if (!choice) return;
    choice.value = root.dataset.theme ?? "";
    choice.addEventListener("change", () => {
      show(choice.value);
      keep(choice.value);
    });
    place.className = "ready";
  });
})();

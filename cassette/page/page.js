"use strict";
(() => {
  const search = document.getElementById("search");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const lives = all(".life");
  const texts = lives.map((life) =>
    (life.textContent + " " + (life.dataset.ids || "") + " " +
      life.parentElement.firstElementChild.textContent).toLowerCase());

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    lives.forEach((life, index) => {
      life.hidden = !words.every((word) => texts[index].includes(word));
      shown += life.hidden ? 0 : 1;
    });
    all(".group").forEach((group) => {
      const own = all(".life", group);
      group.hidden = own.length > 0 && own.every((life) => life.hidden);
    });
    const found = document.getElementById("found");
    found.textContent = words.length ? `${shown} of ${lives.length} shown` : "";
  };
  const open = (to) => all(".life:not([hidden]) details:not(.raw)").forEach((one) => { one.open = to; });

  if (search) {
    search.addEventListener("input", filter);
    document.getElementById("open-all").addEventListener("click", () => open(true));
    document.getElementById("close-all").addEventListener("click", () => open(false));
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && document.activeElement !== search) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && document.activeElement === search) {
        search.value = "";
        filter();
      }
    });
  }
  window.addEventListener("beforeprint", () => open(true));
})();

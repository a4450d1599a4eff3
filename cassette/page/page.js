"use strict";
(() => {
  const PRINTED = 10; // with more tasks, the details that are open are printed, and no others
  const search = document.getElementById("search");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const lives = all(".life");
  const texts = lives.map((life) =>
    (life.textContent + " " + (life.dataset.ids || "") + " " +
      life.closest(".group").querySelector("h2").textContent).toLowerCase());

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    lives.forEach((life, index) => {
      life.hidden = !words.every((word) => texts[index].includes(word));
      shown += life.hidden ? 0 : 1;
    });
    all(".group").forEach((group) => {
      const found = all(".life", group).some((life) => !life.hidden);
      group.hidden = !found;
      all("details:has(.life)", group).forEach((one) => { one.open = found && words.length > 0; });
    });
    all("nav").forEach((one) => { one.hidden = words.length > 0; });
    document.getElementById("found").textContent =
      words.length ? `${shown} of ${lives.length} shown` : "";
  };
  const closed = () => all(".life:not([hidden]) details:not(.raw)").filter((one) => !one.open);

  if (search) {
    search.addEventListener("input", filter);
    document.getElementById("open-all").addEventListener("click", () =>
      closed().forEach((one) => { one.open = true; }));
    document.getElementById("close-all").addEventListener("click", () =>
      all("details[open]").forEach((one) => { one.open = false; }));
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

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = lives.length > PRINTED ? [] : closed();
    opened.forEach((one) => { one.open = true; });
  });
  window.addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
})();

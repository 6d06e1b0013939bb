"use strict";
(() => {
  const cards = [...document.querySelectorAll("details.finding")];
  const search = document.getElementById("search");
  const check = document.getElementById("check");
  const boxes = [...document.querySelectorAll("input[name=severity]")];
  const shown = document.getElementById("shown");
  const rows = [...document.querySelectorAll("#routes-table tbody tr")];
  const texts = new Map();
  const textOf = (node) => {
    if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
    return texts.get(node);
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const card of cards) {
      const fits =
        severities.has(card.dataset.severity) &&
        (check.value === "" || card.dataset.check === check.value) &&
        words.every((word) => textOf(card).includes(word));
      card.hidden = !fits;
      if (fits) count += 1;
    }
    for (const row of rows) row.hidden = !words.every((word) => textOf(row).includes(word));
    shown.textContent = `${count} of ${cards.length} shown`;
  };
  if (search) {
    for (const input of [search, check, ...boxes]) input.addEventListener("input", filter);
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        search.focus();
      }
    });
    filter();
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = cards.filter((card) => !card.open);
    for (const card of opened) card.open = true;
  });
  addEventListener("afterprint", () => {
    for (const card of opened) card.open = false;
  });
})();

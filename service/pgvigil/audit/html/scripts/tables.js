"use strict";
// Sorts tables by a click on a column's heading, and turns the page light or dark.
(() => {
  function sortable(table) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      if (!head.textContent.trim()) return;
      if (body.rows[0]?.cells[place].matches(".figure")) head.classList.add("right");
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, place));
    });
  }

  function sort(table, head, place) {
    const value = row => row.cells[place].dataset.value ?? row.cells[place].textContent.trim();
    const figures = table.tBodies[0].rows[0]?.cells[place].dataset.value !== undefined;
    // Figures the largest first, words from a to z; the other way round when it is asked for again.
    const before = head.getAttribute("aria-sort");
    const rising = before ? before === "descending" : !figures;
    const compare = figures ? (a, b) => value(a) - value(b) : (a, b) => value(a).localeCompare(value(b));
    const rows = [...table.tBodies[0].rows].sort((a, b) => (rising ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  }

  const button = document.getElementById("theme");
  const theme = () => document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  function name() {
    button.textContent = theme() === "dark" ? "Light" : "Dark";
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
    name();
  });
  name();
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
})();

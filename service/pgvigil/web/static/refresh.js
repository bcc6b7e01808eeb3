"use strict";
// Keeps the page in step with the store: fetches it anew and exchanges its content, so that scroll position,
// focus and a selection survive. When pgvigil does not answer, the page says so: old green is no green.
(() => {
  const EVERY = 10_000;
  const LONGEST_HOLD = 6; // refreshes that a selection may hold up, for whoever is copying a query
  const lost = document.getElementById("lost");
  let timer;
  let held = 0;

  function writing() {
    const form = document.querySelector("[data-word]");
    return form !== null && (form.inert || form.contains(document.activeElement) || form.elements.note.value !== "");
  }

  function busy() {
    if (writing()) return true;
    const selection = document.getSelection();
    held = selection !== null && !selection.isCollapsed ? held + 1 : 0;
    return 0 < held && held <= LONGEST_HOLD;
  }

  function exchange(page) {
    const focused = document.activeElement?.getAttribute("href");
    for (const id of ["main", "asof"]) {
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    }
    document.title = page.title;
    if (focused) document.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  function found() {
    lost.hidden = true;
    delete document.documentElement.dataset.lost;
  }

  function missing() {
    if (!lost.hidden) return;
    const asof = document.getElementById("asof").textContent;
    lost.textContent = `pgvigil does not answer. What you see is of ${asof}.`;
    lost.hidden = false;
    document.documentElement.dataset.lost = "";
    document.title = `? ${document.title}`;
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      if (!document.hidden) {
        const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!busy()) exchange(page);
        found();
      }
    } catch {
      missing();
    }
    timer = setTimeout(refresh, EVERY);
  }

  document.addEventListener("pgvigil:refresh", refresh);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  timer = setTimeout(refresh, EVERY);
})();

"use strict";
// A person's decision: adopt or reject a proposal, accept what is there. The server knows who decides, and may refuse.
(() => {
  async function send(form, path) {
    const note = form.elements.note?.value.trim();
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...JSON.parse(form.dataset.decide), ...(note ? { note } : {}) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return "";
    return (await answer.json().catch(() => ({}))).error ?? `refused: ${answer.status}`;
  }

  // On the document: the page's content is exchanged all the time.
  document.addEventListener("submit", async event => {
    const form = event.target;
    if (!form.matches("[data-decide]")) return;
    event.preventDefault();
    const result = form.querySelector("[data-result]");
    form.inert = true;
    try {
      result.textContent = await send(form, event.submitter.value);
    } catch {
      result.textContent = "pgvigil does not answer";
    }
    form.inert = false;
    if (result.textContent) return;
    document.activeElement?.blur();
    document.dispatchEvent(new Event("pgvigil:refresh"));
  });
})();

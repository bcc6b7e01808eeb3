"use strict";
// A person's word on an incident: acknowledge, mute, unmute. The server knows who says so, and may refuse.
(() => {
  function said(form, act) {
    const word = { note: form.elements.note.value.trim() };
    if (act === "mute" && form.elements.for.value) word.for = form.elements.for.value;
    return word;
  }

  async function send(form, act) {
    const answer = await fetch(`/api/v1/incidents/${encodeURIComponent(form.dataset.word)}/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(said(form, act)),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return "";
    return (await answer.json().catch(() => ({}))).error ?? `refused: ${answer.status}`;
  }

  // On the document: the page's content is exchanged all the time.
  document.addEventListener("submit", async event => {
    const form = event.target;
    if (!form.matches("[data-word]")) return;
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
    form.reset();
    document.activeElement?.blur();
    document.dispatchEvent(new Event("pgvigil:refresh"));
  });
})();

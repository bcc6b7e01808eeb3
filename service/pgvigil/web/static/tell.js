"use strict";
// How a form tells the server something: who says it is known there, and it may refuse.
const tell = (() => {
  async function send({ path, word }) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(word),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return "";
    return (await answer.json().catch(() => ({}))).error ?? `refused: ${answer.status}`;
  }

  // `said(form, value)` is what a form means when the button with this value is pressed: a path and a word.
  return (selector, said) =>
    // On the document: the page's content is exchanged all the time.
    document.addEventListener("submit", async event => {
      const form = event.target;
      if (!form.matches(selector)) return;
      event.preventDefault();
      const result = form.querySelector("[data-result]");
      form.inert = true;
      try {
        result.textContent = await send(said(form, event.submitter.value));
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

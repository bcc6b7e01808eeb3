"use strict";
// A person's decision: adopt or reject a proposal, accept what is there.
tell("[data-decide]", (form, path) => {
  const note = form.elements.note?.value.trim();
  return { path, word: { ...JSON.parse(form.dataset.decide), ...(note ? { note } : {}) } };
});

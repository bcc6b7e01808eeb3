"use strict";
// A person's word on an incident: acknowledge, mute, unmute.
tell("[data-word]", (form, act) => {
  const word = { note: form.elements.note.value.trim() };
  if (act === "mute" && form.elements.for.value) word.for = form.elements.for.value;
  return { path: `/api/v1/incidents/${encodeURIComponent(form.dataset.word)}/${act}`, word };
});

/* Copy buttons: without this script the text is still there to select. */
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const box = button.closest(".copy");
  const said = box.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(box.querySelector(".copy-text").textContent.trim());
    said.textContent = "Copied.";
  } catch {
    said.textContent = "Your browser did not let us copy; select the text instead.";
  }
});

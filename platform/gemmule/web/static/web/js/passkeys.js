/* Say what happened when the browser's passkey dialog ends without a passkey. */
"use strict";

document.addEventListener("allauth.error", (event) => {
  const place = document.querySelector("[data-passkey-said]");
  if (!place) return;
  event.preventDefault();
  const { exception } = event.detail;
  const known = {
    NotAllowedError: "No passkey was used: the dialog was closed or took too long. Try again.",
    InvalidStateError: "This device already has a passkey for your account.",
    NotSupportedError: "This device cannot keep a passkey. Use another device or another way.",
    SecurityError: "Passkeys need a safe address (https). Ask the administrator.",
  };
  place.textContent = known[exception.name] || "The passkey did not work. Try again, or use another way.";
  place.hidden = false;
});

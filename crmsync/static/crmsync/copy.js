// Copy buttons: hidden until this runs, because without JavaScript the text is selected and copied by hand.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-crmsync-copy]")) {
        const text = document.getElementById(button.dataset.crmsyncCopy);
        const said = document.querySelector("[data-crmsync-said]");
        button.hidden = false;
        button.addEventListener("click", async () => {
            text.select();
            try {
                await navigator.clipboard.writeText(text.value);
            } catch {
                document.execCommand("copy"); // pages that are not served by HTTPS have no clipboard
            }
            said.textContent = button.dataset.crmsyncDone;
        });
    }
});

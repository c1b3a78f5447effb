"use strict";
const find = document.querySelector(".find");
const box = find.querySelector("input[type=search]");
const none = document.querySelector("#none");
const items = [...document.querySelectorAll("[data-held]")].map((element) => ({
  element,
  held: element.dataset.held === "true",
  text: element.textContent.toLowerCase(),
}));
const features = [...document.querySelectorAll(".feature")].map((element) => ({
  element,
  open: element.open,
  text: element.querySelector("summary").textContent.toLowerCase(),
}));
function apply() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const which = find.querySelector("input:checked").value;
  const named = new Set(
    features.filter(({ text }) => words.length && words.every((word) => text.includes(word))).map(({ element }) => element),
  );
  let shown = 0;
  for (const { element, held, text } of items) {
    const wanted = which === "all" || (which === "held") === held;
    const matches = wanted && (named.has(element.parentElement) || words.every((word) => text.includes(word)));
    element.hidden = !matches;
    shown += matches;
  }
  const filtered = words.length > 0 || which !== "all";
  for (const { element, open } of features) {
    element.hidden = !element.querySelector("[data-held]:not([hidden])");
    element.open = filtered ? !element.hidden : open;
  }
  none.hidden = shown > 0;
}
let waiting;
function soon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(apply);
}
find.addEventListener("input", soon);
find.hidden = false;
for (const pre of document.querySelectorAll(".run pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(pre.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  pre.after(button);
}

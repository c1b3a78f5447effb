// The virtual clock, and the state of the world.

const moment = (at) => at.replace("T", " ").replace(/\.\d+Z$|Z$/, "");

function showClock(at) {
  $("#clock").textContent = `${moment(at)} UTC`;
  $("#clock").dateTime = at;
}

function showState() {
  const { now, playing, speed, pending = [], deadLetters, violation } = state;
  if (now) showClock(now);
  const letters = deadLetters ? `, ${deadLetters} dead letter${deadLetters > 1 ? "s" : ""}` : "";
  $("#calm").textContent = run ? "in a run that has ended"
    : (pending.length === 0 ? "quiescent" : `pending: ${pending[0]}${pending.length > 1 ? `, and ${pending.length - 1} more` : ""}`) + letters;
  for (const one of document.querySelectorAll("[data-for]")) {
    one.hidden = one.dataset.for !== (run ? "run" : "system");
  }
  $("#violation").hidden = !violation;
  if (violation) $("#violation").textContent = `Violated: ${violation.invariant}. ${violation.how}`;
  if (run) return;
  $("#play").textContent = playing ? "Pause" : "Play";
  for (const one of document.querySelectorAll("[data-speed]")) {
    one.setAttribute("aria-pressed", String(Number(one.dataset.speed) === speed));
  }
  map.mark(state.services);
  for (const [name, count] of Object.entries(state.services)) {
    const cell = document.getElementById(`instances-${name}`);
    if (cell) cell.textContent = count;
  }
  const cuts = state.cuts.map((cut) => `${cut.service} is cut off from its ${cut.port} until healed`);
  const lines = [...state.planned, ...cuts];
  const list = $("#planned");
  if (list.dataset.shown !== lines.join("\n")) {
    list.dataset.shown = lines.join("\n");
    list.replaceChildren(...(lines.length ? lines : ["None"]).map((text) => element("li", {}, text)));
  }
}

$("#play").addEventListener("click", () => {
  const command = state.playing ? "pause" : "play";
  order({ command }, state.playing ? "The world pauses." : "The world plays.");
});
$("#step").addEventListener("click", () => order({ command: "step" }, "One step."));
for (const one of document.querySelectorAll("[data-speed]")) {
  const factor = Number(one.dataset.speed);
  one.addEventListener("click", () => order({ command: "speed", factor }, `Time runs at ${factor}x.`));
}
for (const one of document.querySelectorAll("[data-skip]")) {
  const seconds = Number(one.dataset.skip);
  one.addEventListener("click", () => order({ command: "skip", seconds }, `${seconds / 60} minutes have passed.`));
}

// The clock, and the state of the world.

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
  showList($("#pending"), pending.length ? pending : ["None: the system is quiescent."]);
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
  showList($("#planned"), lines.length ? lines : ["None"]);
}

/// Shows lines in a list that screen readers follow, so it changes only if they do.
function showList(list, lines) {
  if (list.dataset.shown === lines.join("\n")) return;
  list.dataset.shown = lines.join("\n");
  list.replaceChildren(...lines.map((text) => element("li", {}, text)));
}

/// Shows what this page has for a run, for any system, or for a system in one of the worlds.
function showParts(world) {
  const parts = run ? ["run"] : ["system", world.name];
  for (const one of document.querySelectorAll("[data-for]")) {
    one.hidden = !parts.includes(one.dataset.for);
  }
  const scale = world.time_scale;
  const deadlines = scale === 1 ? "Deadlines are those of production."
    : `Deadlines are ${scale} times shorter: a quarter of an hour takes ${900 / scale} seconds.`;
  if (world.name === "real") $("#pace").textContent = `Real time, which can be neither paused nor skipped. ${deadlines}`;
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

// The decisions of a run: the calls that waited, the one that ran, and how to go on otherwise.

/// The decision that the record which is looked at follows from.
function decisionAt(n) {
  return run.choices.findLastIndex((choice) => choice.mark <= n);
}

function showDecision() {
  if (!run) return;
  const at = decisionAt(chosen ?? Infinity);
  const choice = run.choices[at];
  $("#fork").replaceChildren();
  $("#earlier").disabled = at <= 0;
  $("#later").disabled = at + 1 >= run.choices.length;
  if (!choice) {
    $("#decision").textContent = "The clients are prepared; decisions come later.";
    $("#waiting").replaceChildren();
    return;
  }
  const calls = choice.calls.length;
  const waited = calls === 1 ? "one call waited" : `${calls} calls waited, the longest first`;
  $("#decision").textContent = `Decision ${at + 1} of ${run.choices.length}: ${waited}.`;
  const ways = choice.calls.map((call, position) => [call, position]);
  if (choice.time) ways.push(["time passes until the next timer", "time"]);
  $("#waiting").replaceChildren(...ways.map(([text, way]) => {
    if (way === choice.decision) return element("li", { className: "ran" }, `${text} `, element("strong", {}, way === "time" ? "happened" : "ran"));
    const fork = element("button", { type: "button", className: "quiet small", "aria-label": `Fork: ${text}` }, "Fork here");
    fork.addEventListener("click", () => showFork(at, way));
    return element("li", {}, `${text} `, fork);
  }));
}

/// The deviations from FIFO until a decision, and another one there. What follows is FIFO.
function deviations(at, way) {
  const before = run.choices.slice(0, at).filter((choice) => choice.decision !== 0);
  const other = way === 0 ? [] : [[run.choices[at].number, way]];
  return [...before.map((choice) => [choice.number, choice.decision]), ...other];
}

/// A case as a replay token: compressed, in the letters of a URL.
async function token(text) {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const letters = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return run.prefix + letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function showFork(at, way) {
  const schedule = JSON.stringify({ exact: deviations(at, way) });
  const command = `${run.replay} ${await token(`${run.unscheduled}"schedule":${schedule}}`)}`;
  const copy = element("button", { type: "button", className: "quiet small" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    say("The command is copied.");
  });
  $("#fork").replaceChildren("The run up to here, and otherwise from here: ", element("code", {}, command), " ", copy);
}

for (const [id, by] of [["#earlier", -1], ["#later", 1]]) {
  $(id).addEventListener("click", () => {
    const at = Math.min(Math.max(decisionAt(chosen ?? Infinity) + by, 0), run.choices.length - 1);
    choose(Math.min(run.choices[at].mark, records.length - 1));
  });
}

// Records and states, of a running system or of a run that the page holds.

const KEPT = 20000; // records in this browser

const held = document.getElementById("run");
const run = held && JSON.parse(held.textContent); // null where a system is followed
const records = [];
let events = []; // who publishes and receives each event
let state = {};
let map = { show() {}, mark() {}, clear() {} };
let chosen = null; // number of a record; null while live
let frozen = null; // newest record of a timeline that is not live

let isDue = false;
function later() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showTimeline();
    showDocuments();
    showDecision();
    showQueues();
  });
}

function receive(news) {
  for (const record of news) {
    if (records.length && record.n <= records.at(-1).n) continue;
    records.push(record);
    if (record.written) {
      learn(record.written.service, record.written.collection, record.written.document, record.n);
      writes.push(record.n);
      if (record.written.name) labels.set(plain(record.written.document._id), record.written.name);
    }
  }
  if (!run) records.splice(0, Math.max(0, records.length - KEPT));
  const shown = chosen === null && frozen === null && !run ? news.filter((record) => !isQuery(record)).slice(-12) : [];
  shown.forEach((record, at) => setTimeout(() => map.show(record, false), at * 120));
  if (shown.length) $("#moving").textContent = `${shown.at(-1).kind}: ${shown.at(-1).text}`;
  later();
}

function prepare(system) {
  const name = system.name.charAt(0).toUpperCase() + system.name.slice(1);
  $("#title").textContent = name;
  document.title = run ? `A run of ${system.name}` : `Console of ${system.name}`;
  $("#map").replaceChildren();
  map = makeMap($("#map"), system);
  events = system.events;
  showParts(system.world);
}

function receiveState(news) {
  state = news;
  showState();
}

/// Shows the run that the page holds.
function show({ map: system, state: end, records: all }) {
  prepare(system);
  receiveState(end);
  receive(all);
  choose(all.at(-1)?.n ?? null);
}

let started = null; // name of the start of the system that is followed
let world = null; // what the system is in
let base = []; // documents as they were when this page came

/// Forgets a system that is there no longer.
function reset() {
  for (const list of [records, writes]) list.length = 0;
  for (const known of [documents, labels]) known.clear();
  base = [];
  choose(null);
  $("#record").textContent = "Select a record to see its fields.";
}

/// Begins to follow a start of the system.
async function begin(name) {
  if (name === started) return;
  const isAnew = started !== null;
  started = name;
  showBuild(null);
  reset();
  const system = await (await fetch("/_/map")).json();
  const { collections } = await (await fetch("/_/documents")).json();
  if (name !== started) return;
  prepare(system);
  prepareFaults(system);
  world = system.world.name;
  $("#page").hidden = !system.page;
  if (state.services) showState();
  base = collections;
  learnBase();
  if (isAnew) {
    say(world === "real" ? "The services have been started anew; the servers have kept their data."
      : `The system has been started anew; ${replayed()} played again.`);
  }
}

function replayed() {
  const count = state.replayed ?? 0;
  return count === 1 ? "1 request or command was" : `${count} requests and commands were`;
}

/// A document that was written before the oldest record is known only as it is.
function learnBase() {
  if (records.length === 0) return;
  for (const { service, collection, documents: made } of base) {
    made.filter((one) => !documents.get(`${service}/${collection}`)?.has(plain(one._id)))
      .forEach((one) => learn(service, collection, one, -1));
  }
  base = [];
  later();
}

/// Shows a build of the next program that is under way or has failed.
function showBuild(news) {
  const build = news?.build === "unchanged" ? null : news;
  $("#build").hidden = !build;
  $("#build").classList.toggle("failed", build?.build === "failed");
  $("#building").textContent = !build ? "" : build.build === "building"
    ? "Rebuilding\u2026" : "The build has failed; the program before it goes on";
  $("#errors").hidden = !build?.errors;
  $("#errors").textContent = build?.errors ?? "";
}

/// Follows the system of the program that serves the page.
function follow() {
  const feed = new EventSource("/_/events");
  feed.addEventListener("run", (event) => {
    begin(JSON.parse(event.data).run).catch((error) => {
      started = ""; // the next connection tries again
      say(`${error.message}.`);
    });
  });
  feed.addEventListener("records", (event) => {
    receive(JSON.parse(event.data));
    learnBase();
  });
  feed.addEventListener("state", (event) => receiveState(JSON.parse(event.data)));
  feed.addEventListener("build", (event) => showBuild(JSON.parse(event.data)));
  feed.addEventListener("error", () => say("The program cannot be reached; the console tries again."));
  feed.addEventListener("open", () => say("Connected."));
}

if (run) show(run);
else follow();

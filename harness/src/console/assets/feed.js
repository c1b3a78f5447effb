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
  const shown = chosen === null && !run ? news.filter((record) => !isQuery(record)).slice(-12) : [];
  shown.forEach((record, at) => setTimeout(() => map.show(record, false), at * 120));
  if (shown.length) $("#moving").textContent = `${shown.at(-1).kind}: ${shown.at(-1).text}`;
  later();
}

function prepare(system) {
  const name = system.name.charAt(0).toUpperCase() + system.name.slice(1);
  $("#title").textContent = name;
  document.title = run ? `A run of ${system.name}` : `Console of ${system.name}`;
  map = makeMap($("#map"), system);
  events = system.events;
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

/// Follows the system of the program that serves the page.
async function follow() {
  const system = await (await fetch("/_/map")).json();
  prepare(system);
  prepareFaults(system);
  $("#page").hidden = !system.page;
  const { collections } = await (await fetch("/_/documents")).json();
  let base = collections;
  const feed = new EventSource("/_/events");
  feed.addEventListener("records", (event) => {
    receive(JSON.parse(event.data));
    // A document that was written before the oldest record is known only as it is.
    for (const { service, collection, documents: made } of base) {
      made.filter((one) => !documents.get(`${service}/${collection}`)?.has(plain(one._id)))
        .forEach((one) => learn(service, collection, one, -1));
    }
    base = [];
  });
  feed.addEventListener("state", (event) => receiveState(JSON.parse(event.data)));
  feed.addEventListener("error", () => say("The program cannot be reached; the console tries again."));
  feed.addEventListener("open", () => say("Connected."));
  later();
}

if (run) show(run);
else follow().catch((error) => say(`${error.message}.`));

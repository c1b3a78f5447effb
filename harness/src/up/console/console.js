// The console: the feed of a running system, and commands to it.

import { makeMap } from "/_/map.js";

const KEPT = 20000; // records in this browser
const LISTED = 250; // rows in the timeline
const RECENT = 6; // writes whose changes are marked
const SHOWN_DOCUMENTS = 25;

const $ = (selector) => document.querySelector(selector);
const records = [];
const writes = [];
const documents = new Map(); // "service/collection" -> id -> versions
const labels = new Map(); // id -> readable name
let state = {};
let map = { show() {}, mark() {}, clear() {} };
let chosen = null; // number of a record; null while live
let frozen = null; // newest record of a timeline that is not live

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function say(text) {
  $("#status").textContent = text;
}

/* Commands */

async function send(command) {
  let response;
  try {
    response = await fetch("/_/command", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
    });
  } catch {
    throw new Error("The program cannot be reached");
  }
  if (response.ok) return;
  const answer = await response.json().catch(() => null);
  throw new Error(answer?.errors?.map((error) => error.message).join(", ") ?? `Status ${response.status}`);
}

async function order(command, done) {
  try {
    await send(command);
    say(done);
  } catch (error) {
    say(`${error.message}.`);
  }
}

function button(label, command, done, name) {
  const made = element("button", { type: "button", className: "quiet small", "aria-label": name }, label);
  made.addEventListener("click", () => order(command, done));
  return made;
}

/* The clock */

const moment = (at) => at.replace("T", " ").replace(/\.\d+Z$|Z$/, "");

function showState() {
  const { now, playing, speed, pending = [], deadLetters, recorded, violation } = state;
  if (now) {
    $("#clock").textContent = `${moment(now)} UTC`;
    $("#clock").dateTime = now;
  }
  const letters = deadLetters ? `, ${deadLetters} dead letter${deadLetters > 1 ? "s" : ""}` : "";
  $("#calm").textContent = recorded ? "the end of a recorded run"
    : (pending.length === 0 ? "quiescent" : `pending: ${pending[0]}${pending.length > 1 ? `, and ${pending.length - 1} more` : ""}`) + letters;
  $("#controls").hidden = $("#faults").hidden = Boolean(recorded);
  $("#violation").hidden = !violation;
  if (violation) $("#violation").textContent = `Violated: ${violation.invariant}. ${violation.how}`;
  if (recorded) return;
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

/* The timeline */

/// Whether a record changes nothing: a read, or a GET of a page that looks for news.
function isQuery({ kind, text }) {
  return kind === "read" || (/^(request|reply)$/.test(kind) && /(^| to )GET /.test(text));
}

function matches(record, words) {
  if (isQuery(record) && !(record.idle ? $("#idle") : $("#reads")).checked) return false;
  if (words.length === 0) return true;
  record.haystack ??= `${record.instance ?? ""} ${record.kind} ${record.text} ${JSON.stringify(record.fields)}`.toLowerCase();
  return words.every((word) => record.haystack.includes(word));
}

function visible() {
  const words = $("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
  return records.filter((record) => (frozen === null || record.n <= frozen) && matches(record, words));
}

/// The service that a record of the clients concerns.
function served(record) {
  const end = [record.to, record.from].find((place) => place?.startsWith("service:"));
  return end?.slice("service:".length) ?? "";
}

function row(record) {
  const made = element("li", { id: `record-${record.n}`, role: "option", className: record.bad ? "failed" : "" },
    element("span", { className: "at" }, record.at.slice(11, 19)),
    element("span", { className: "what" }, record.kind),
    element("span", { className: "where" }, record.instance ?? served(record)),
    element("span", { className: "text" }, record.text));
  made.setAttribute("aria-selected", String(record.n === chosen));
  made.addEventListener("click", () => choose(record.n));
  return made;
}

function showTimeline() {
  const all = visible();
  const at = chosen === null ? all.length - 1 : all.findIndex((record) => record.n === chosen);
  const end = Math.min(all.length, Math.max(at, 0) + LISTED / 2);
  const listed = all.slice(Math.max(0, end - LISTED), end).reverse();
  const list = $("#records");
  list.replaceChildren(...listed.map(row));
  const option = chosen === null ? null : document.getElementById(`record-${chosen}`);
  if (option) {
    list.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else list.removeAttribute("aria-activedescendant");
  $("#count").textContent = `${all.length} of ${records.length} records${chosen === null ? "" : ", stopped at one"}`;
  $("#live").setAttribute("aria-pressed", String(chosen === null));
}

function choose(n) {
  chosen = n;
  frozen ??= records.at(-1)?.n ?? null;
  if (n === null) frozen = null;
  const record = records.find((one) => one.n === n);
  if (record) {
    $("#record").textContent = JSON.stringify(record.fields, null, 2);
    $("#moving").textContent = `${record.kind} ${record.instance ? `at ${record.instance}` : ""}: ${record.text}`;
    map.show(record, true);
  } else {
    $("#moving").textContent = "";
    map.clear();
  }
  later();
}

function move(by) {
  const all = visible();
  if (all.length === 0) return;
  const at = all.findIndex((record) => record.n === chosen);
  const next = at < 0 ? all.length - 1 : Math.min(Math.max(at + by, 0), all.length - 1);
  choose(all[next].n);
}

$("#live").addEventListener("click", () => choose(null));
$("#back").addEventListener("click", () => move(-1));
$("#forward").addEventListener("click", () => move(1));
$("#records").addEventListener("keydown", (event) => {
  const by = { ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, End: -Infinity, Home: Infinity }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  move(by);
});
for (const one of ["#search", "#reads", "#idle"]) $(one).addEventListener("input", () => later());

/* Documents */

function learn(service, collection, made, n) {
  const key = `${service}/${collection}`;
  if (!documents.has(key)) documents.set(key, new Map());
  const ids = documents.get(key);
  const id = plain(made._id);
  if (!ids.has(id)) ids.set(id, []);
  const versions = ids.get(id);
  if (!versions.some((version) => version.n === n)) versions.push({ n, made });
  versions.sort((one, other) => one.n - other.n);
}

function plain(value) {
  if (value === null || typeof value !== "object") return String(value);
  const [name, inner] = Object.entries(value)[0] ?? [];
  if (name === "$date") return dateOf(plain(inner));
  if (name?.startsWith("$")) return plain(inner);
  return JSON.stringify(value);
}

/// A date of extended JSON: a text, or milliseconds since 1970.
function dateOf(text) {
  const date = new Date(/^-?\d+$/.test(text) ? Number(text) : text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

const short = (text) => (text.length > 28 ? `${text.slice(0, 27)}\u2026` : text);

function showDocuments() {
  const until = chosen ?? Infinity;
  $("#as-of").textContent = chosen === null
    ? "As they are now; recent changes are marked." : `As they were after record ${chosen}; changes just before it are marked.`;
  const recent = new Set(writes.filter((n) => n <= until).slice(-RECENT));
  const tables = [...documents].sort(([one], [other]) => one.localeCompare(other)).map(([key, ids]) => {
    const rows = [...ids.values()].map((versions) => {
      const at = versions.findLastIndex((version) => version.n <= until);
      return at < 0 ? null : { now: versions[at], before: versions[at - 1] };
    }).filter(Boolean).sort((one, other) => other.now.n - one.now.n);
    if (rows.length === 0) return null;
    const names = [...new Set(rows.flatMap(({ now }) => Object.keys(now.made)))].filter((name) => name !== "outbox");
    const body = rows.slice(0, SHOWN_DOCUMENTS).map(({ now, before }) => element("tr", {}, ...names.map((name) => {
      const text = now.made[name] === undefined ? "" : plain(now.made[name]);
      const old = before?.made[name] === undefined ? "" : plain(before.made[name]);
      const isChanged = recent.has(now.n) && text !== old;
      const label = (value) => labels.get(value) ?? short(value);
      const cell = element("td", { className: isChanged ? "changed" : "", title: text }, label(text));
      if (isChanged && old) cell.append(element("span", { className: "hint" }, `, was ${label(old)}`));
      return cell;
    })));
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    const more = rows.length > SHOWN_DOCUMENTS ? `, ${SHOWN_DOCUMENTS} newest of ${rows.length}` : "";
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
    return element("div", {}, element("h3", {}, `${key.replace("/", ".")}${more}`),
      element("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": key }, table));
  }).filter(Boolean);
  $("#holdings").replaceChildren(...(tables.length ? tables : [element("p", { className: "hint" }, "None yet.")]));
}

/* Faults */

const KINDS = [
  ["Lose the acknowledgement", (event, at) => `the acknowledgement of the next ${event} at ${at} is lost`],
  ["Deliver twice", (event, at) => `the next ${event} to ${at} is delivered twice`],
  ["Hold back for a minute", (event, at) => `the next ${event} to ${at} arrives 1 minute late`],
  ["Crash right after receiving", (event, at) => `${at} crashes right after receiving the next ${event}`],
  ["Fail to publish", (event) => `the next publish of ${event} fails`],
  ["Publish with unknown outcome", (event) => `the next publish of ${event} succeeds but reports failure`],
  ["Fail the next write", (_, at, store) => `the next write of ${at} to ${store} fails`],
  ["Write with unknown outcome", (_, at, store) => `the next write of ${at} to ${store} succeeds but reports failure`],
  ["Crash right after a write", (_, at, store) => `${at} crashes right after its next write to ${store}`],
];

function prepareFaults(system) {
  const stores = new Map(system.services.map((service) => [service.name, service.collections[0] ?? "anything"]));
  const rows = system.services.map(({ name }) => element("tr", {},
    element("th", { scope: "row" }, name),
    element("td", { id: `instances-${name}` }, ""),
    element("td", {}, element("div", { className: "row" },
      button("Crash", { command: "crash", service: name }, `${name} has crashed.`, `Crash ${name}`),
      button("Restart", { command: "restart", service: name }, `${name} restarts.`, `Restart ${name}`),
      button("Start one", { command: "start", service: name }, `One more ${name} starts.`, `Start one more ${name}`),
      button("Cut from bus", { command: "cut", service: name, port: "bus" }, `${name} is cut off from the bus.`, `Cut ${name} off from the bus`),
      button("Cut from store", { command: "cut", service: name, port: "store" }, `${name} is cut off from its store.`, `Cut ${name} off from its store`)))));
  $("#services").replaceChildren(...rows);
  const options = (select, names) => select.replaceChildren(...names.map((name) => element("option", {}, name)));
  options($("#kind"), KINDS.map(([name]) => name));
  options($("#event"), system.events.map((event) => event.name));
  options($("#at"), system.services.map((service) => service.name));
  const write = () => {
    const [, sentence] = KINDS[$("#kind").selectedIndex];
    const event = $("#event").value || "event";
    $("#event").disabled = sentence.length > 2;
    $("#at").disabled = sentence.length < 2;
    $("#sentence").value = sentence(event, $("#at").value, stores.get($("#at").value));
  };
  const receivers = () => {
    const event = system.events[$("#event").selectedIndex];
    if (event?.to.length && !event.to.includes($("#at").value)) $("#at").value = event.to[0];
    write();
  };
  $("#event").addEventListener("change", receivers);
  for (const one of ["#kind", "#at"]) $(one).addEventListener("change", write);
  const first = system.events.findIndex((event) => event.to.length > 0 && !event.to.includes(event.from));
  if (first > 0) $("#event").selectedIndex = first;
  receivers();
  $("#sentences").replaceChildren(...system.sentences.map((text) => element("li", {}, text)));
}

$("#inject").addEventListener("submit", async (event) => {
  event.preventDefault();
  const sentence = $("#sentence").value;
  try {
    await send({ command: "inject", sentence });
    $("#refused").textContent = "";
    say(`Planned: ${sentence}.`);
  } catch (error) {
    $("#refused").textContent = `${error.message}.`;
  }
});
$("#heal").addEventListener("click", () => order({ command: "heal" }, "All faults are healed."));

/* The feed */

let isDue = false;
function later() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showTimeline();
    showDocuments();
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
  records.splice(0, Math.max(0, records.length - KEPT));
  const shown = chosen === null ? news.filter((record) => !isQuery(record)).slice(-12) : [];
  shown.forEach((record, at) => setTimeout(() => map.show(record, false), at * 120));
  if (shown.length) $("#moving").textContent = `${shown.at(-1).kind}: ${shown.at(-1).text}`;
  later();
}

async function open() {
  const system = await (await fetch("/_/map")).json();
  const name = system.name.charAt(0).toUpperCase() + system.name.slice(1);
  document.title = `Console of ${system.name}`;
  $("#title").textContent = name;
  map = makeMap($("#map"), system);
  prepareFaults(system);
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
  feed.addEventListener("state", (event) => {
    state = JSON.parse(event.data);
    $("#page").hidden = !system.page || Boolean(state.recorded);
    showState();
  });
  feed.addEventListener("error", () => say("The program cannot be reached; the console tries again."));
  feed.addEventListener("open", () => say("Connected."));
  later();
}

open().catch((error) => say(`${error.message}.`));

// The timeline: the records that match a search, and the one that is looked at.

const LISTED = 250; // rows

/// True if a record changes nothing: a read, or a GET of a page that looks for news.
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
  $("#count").textContent = `${all.length} of ${records.length} records${chosen === null ? "" : ", stopped at one"}${isPaused() ? ", paused" : ""}`;
  $("#live").setAttribute("aria-pressed", String(!isPaused() && chosen === null));
}

/// True if the timeline stands still without a record that is looked at.
function isPaused() {
  return chosen === null && frozen !== null;
}

function choose(n) {
  chosen = n;
  frozen ??= records.at(-1)?.n ?? null;
  if (n === null) frozen = null;
  const record = records.find((one) => one.n === n);
  if (record) {
    if (run) showClock(record.at);
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

$("#live").addEventListener("click", () => {
  const isLive = chosen === null && frozen === null;
  choose(null);
  if (isLive) frozen = records.at(-1)?.n ?? null;
});
$("#back").addEventListener("click", () => move(-1));
$("#forward").addEventListener("click", () => move(1));
$("#records").addEventListener("keydown", (event) => {
  const by = { ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, End: -Infinity, Home: Infinity }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  move(by);
});
for (const one of ["#search", "#reads", "#idle"]) $(one).addEventListener("input", () => later());

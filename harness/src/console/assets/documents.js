// The documents of each service, as they were after the record that is looked at.

const RECENT = 6; // writes whose changes are marked
const SHOWN_DOCUMENTS = 25;

const writes = [];
const documents = new Map(); // "service/collection" -> id -> versions
const labels = new Map(); // id -> readable name

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

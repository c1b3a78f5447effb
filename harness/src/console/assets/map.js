// The map: services with their stores above a lane of events, and what moves between them.

const WIDTH = 1000;
const LANE = WIDTH - 40;
const SVG = "http://www.w3.org/2000/svg";
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const MOVES = 24; // more dots at once would be noise

function draw(parent, tag, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

function box(svg, places, id, { x, y, width, height, kind, label, small }) {
  const group = draw(svg, "g", { "data-id": id });
  draw(group, "rect", {
    class: `node ${kind}`, x: x - width / 2, y: y - height / 2, width, height, rx: kind === "event" ? height / 2 : 6,
  });
  draw(group, "text", { x, y: small ? y - 2 : y + 4 }, label);
  if (small) draw(group, "text", { class: "small", x, y: y + 14 }, small);
  places.set(id, { x, y, group });
  return group;
}

/// Draws the map of a system into an element.
function makeMap(holder, system) {
  const places = new Map();
  const columns = Math.max(system.services.length, 1);
  const perRow = Math.min(Math.max(system.events.length, 1), 5);
  const rows = Math.ceil(system.events.length / perRow);
  const height = 242 + rows * 44;
  const svg = draw(holder, "svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img" });
  const told = system.events.map((event) => `${event.name} from ${event.from} to ${event.to.join(", ") || "nobody"}`);
  draw(svg, "title", {}, `${system.services.map((s) => s.name).join(", ")}. ${told.join(". ")}.`);
  const edges = draw(svg, "g");
  const line = (parent, a, b, ends) => draw(parent, "path", { class: "edge", d: `M${a.x} ${a.y}L${b.x} ${b.y}`, ...ends });
  box(svg, places, "clients", { x: 300, y: 24, width: 150, height: 34, kind: "", label: "clients" });
  box(svg, places, "external", { x: 700, y: 24, width: 190, height: 34, kind: "", label: system.external });
  system.services.forEach((service, at) => {
    const x = (WIDTH / columns) * (at + 0.5);
    const width = Math.min(160, WIDTH / columns - 20);
    box(svg, places, `service:${service.name}`, { x, y: 100, width, height: 44, kind: "", label: service.name, small: " " });
    const names = service.collections.join(", ");
    box(svg, places, `store:${service.name}`, { x, y: 162, width, height: 38, kind: "store", label: "store", small: names });
    line(edges, { x, y: 122 }, { x, y: 143 });
  });
  const top = 222;
  draw(svg, "rect", { class: "lane", x: 10, y: top - 16, width: WIDTH - 20, height: rows * 44 + 26, rx: 10 });
  draw(svg, "text", { class: "small", x: 30, y: top - 2 }, "bus");
  places.set("bus", { x: WIDTH / 2, y: top, group: null });
  system.events.forEach((event, at) => {
    const x = 20 + (LANE / perRow) * ((at % perRow) + 0.5);
    const y = top + 24 + Math.floor(at / perRow) * 44;
    box(svg, places, `event:${event.name}`, { x, y, width: LANE / perRow - 24, height: 30, kind: "event", label: event.name });
  });
  const ways = draw(svg, "g");
  const place = (id, event) => (id === "bus" && places.get(`event:${event}`)) || places.get(id);
  let moving = 0;

  /// Shows one record: its two ends light up, and a dot moves between them.
  function show(record, isChosen) {
    svg.querySelectorAll(".lit").forEach((lit) => isChosen && lit.classList.remove("lit"));
    if (isChosen) ways.replaceChildren();
    const [from, to] = [place(record.from, record.event), place(record.to, record.event)];
    if (!from || !to) return;
    if (isChosen) {
      [from, to].forEach((end) => end.group?.classList.add("lit"));
      line(ways, from, to, { class: "edge lit" });
    }
    if (moving >= MOVES || (STILL.matches && !isChosen)) return;
    const dot = draw(svg, "circle", { class: `dot ${record.kind}${record.bad ? " failed" : ""}`, r: 7, cx: 0, cy: 0 });
    const point = (end) => `translate(${end.x}px, ${end.y}px)`;
    if (STILL.matches) {
      dot.setAttribute("transform", `translate(${to.x} ${to.y})`);
      setTimeout(() => dot.remove(), 600);
      return;
    }
    moving += 1;
    const move = dot.animate({ transform: [point(from), point(to)] }, { duration: 650, easing: "ease-in-out", fill: "both" });
    move.finished.catch(() => {}).finally(() => { moving -= 1; dot.remove(); });
  }

  /// Marks services that have no instance.
  function mark(instances) {
    for (const [name, count] of Object.entries(instances)) {
      const group = places.get(`service:${name}`)?.group;
      if (!group) continue;
      group.classList.toggle("down", count === 0);
      group.querySelector(".small")?.remove();
      const { x } = places.get(`service:${name}`);
      const words = count === 0 ? "down" : count === 1 ? "1 instance" : `${count} instances`;
      draw(group, "text", { class: "small", x, y: 115 }, words);
    }
  }

  /// Forgets the record that was chosen.
  function clear() {
    svg.querySelectorAll(".lit").forEach((lit) => lit.classList.remove("lit"));
    ways.replaceChildren();
  }

  return { show, mark, clear };
}

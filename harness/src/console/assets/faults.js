// The faults that can be injected.

const KINDS = [
  ["Lose the acknowledgement", (event, at) => `the acknowledgement of the next ${event} at ${at} is lost`],
  ["Deliver twice", (event, at) => `the next ${event} to ${at} is delivered twice`],
  ["Hold back for a minute", (event, at) => `the next ${event} to ${at} arrives 1 minute late`],
  ["Deliver in a newer format", (event, at) => `the next ${event} to ${at} has the format of a newer release`],
  ["Deliver in an older format", (event, at) => `the next ${event} to ${at} has the format of an older release`],
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

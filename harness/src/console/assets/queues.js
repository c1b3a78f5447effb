// The queues of a run: the messages that a service has not acknowledged yet.

/// The messages of each event and receiver, as they were after this record.
function queuesAt(n) {
  const queues = new Map();
  for (const { n: number, service, fields } of records) {
    if (number > n) break;
    if (fields.port !== "bus") continue;
    const { operation, subject, stream, id, outcome, heard } = fields;
    if (operation === "publish" && stream === "events" && outcome.duplicate === false) {
      for (const event of events.filter((one) => one.subject === subject)) {
        for (const to of event.to) queues.set(`${to} ${id}`, { event: event.name, to, state: "undelivered" });
      }
    }
    const queued = queues.get(`${service} ${id}`);
    if (!queued) continue;
    if (operation === "deliver") queued.state = "under way";
    if (operation === "nak") queued.state = "to be redelivered";
    if (operation === "ack" && heard) queues.delete(`${service} ${id}`);
  }
  return [...queues.values()];
}

function showQueues() {
  if (!run) return;
  const counts = new Map();
  for (const { event, to, state: is } of queuesAt(chosen ?? Infinity)) {
    const key = `${event} to ${to}: `;
    const states = counts.get(key) ?? new Map();
    counts.set(key, states.set(is, (states.get(is) ?? 0) + 1));
  }
  const lines = [...counts].map(([key, states]) =>
    key + [...states].map(([is, count]) => `${count} ${is}`).join(", "));
  const all = lines.length ? lines : ["All queues are empty."];
  $("#queued").replaceChildren(...all.map((text) => element("li", {}, text)));
}

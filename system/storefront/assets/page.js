// The page of the storefront. Every answer of the services is shown as they worded it; the page
// asks again every two seconds, since tickets are sold and holds expire without it.

const PAUSE = 2000;
const PAGE = 20;

const $ = (selector, within = document) => within.querySelector(selector);

const state = {
  user: undefined, // undefined: not asked yet; null: signed out
  offset: 0, // server time minus the time of this machine, in milliseconds
  tickets: { limit: PAGE },
  orders: { limit: PAGE },
};

/* The API */

class Refusal extends Error {
  constructor(status, errors, again) {
    super(errors.map((error) => error.message).join(", "));
    Object.assign(this, { status, errors, again });
  }
}

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refusal(0, [{ message: "The server cannot be reached" }]);
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) state.offset = date - Date.now();
  const text = await response.text();
  let answer = null;
  try {
    answer = text && JSON.parse(text);
  } catch {
    /* An answer in another shape has no message of its own. */
  }
  if (response.ok) return answer;
  const errors = answer?.errors ?? [{ message: `The server answered ${response.status}` }];
  throw new Refusal(response.status, errors, Number(response.headers.get("retry-after")) || 0);
}

/* Elements */

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

function button(text, act, { quiet = false, label = text } = {}) {
  const made = element("button", { type: "button", className: quiet ? "quiet" : "" }, text);
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => attempt(made, act));
  return made;
}

/// Shows these things in a list. An item that looks as before stays, and so does its focus.
function show(list, things, look) {
  const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = things.map((thing) => {
    const key = thing.id;
    const face = JSON.stringify(thing);
    const before = known.get(key);
    if (before?.dataset.face === face || before?.dataset.busy) return before;
    const focused = before?.contains(document.activeElement) && document.activeElement.textContent;
    const item = element("li", {}, ...look(thing));
    Object.assign(item.dataset, { key, face });
    if (focused) {
      // After this turn, when the item is in the page.
      queueMicrotask(() =>
        ([...item.querySelectorAll("button")].find((b) => b.textContent === focused) ??
          $("button", item))?.focus());
    }
    return item;
  });
  const lost = [...known.values()].filter((item) => !items.includes(item));
  const had = lost.some((item) => item.contains(document.activeElement));
  list.replaceChildren(...items);
  if (had && !list.contains(document.activeElement)) list.closest("section").focus();
}

function say(text) {
  $("#status").textContent = text;
}

/// Runs what a control does, which is disabled meanwhile, and says what came of it.
async function attempt(control, act) {
  control.disabled = true;
  try {
    say((await act()) ?? "");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.again ? `${error.message}. Try again in a moment.` : `${error.message}.`);
    if (error.status === 401 && error.message === "Not authorized") await identify();
  } finally {
    control.disabled = false;
    await refresh();
  }
}

/// Submits a form: errors stand beside it, with the field that they are about marked.
function onSubmit(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = $(".error", form);
    const submitter = event.submitter ?? $("button", form);
    error.textContent = "";
    say("");
    for (const input of form.querySelectorAll("input")) input.removeAttribute("aria-invalid");
    submitter.disabled = true;
    try {
      say(await act(Object.fromEntries(new FormData(form)), submitter.value));
      form.reset();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      error.textContent = refusal.message;
      const fields = refusal.errors.map((one) => one.field && form.elements[one.field]);
      for (const field of fields.filter(Boolean)) field.setAttribute("aria-invalid", "true");
      fields.find(Boolean)?.focus();
      if (refusal.status === 401) await identify();
    } finally {
      submitter.disabled = false;
      await refresh();
    }
  });
}

/* The account */

async function identify() {
  const answer = await call("GET", "/api/users/currentuser");
  state.user = answer.currentUser;
  const signedIn = state.user !== null;
  $("#account").hidden = signedIn;
  for (const id of ["orders", "mine", "settings"]) $(`#${id}`).hidden = !signedIn;
  const leave = () => button("Sign out", async () => {
    await call("POST", "/api/users/signout", {});
    await identify();
    return "You are signed out.";
  }, { quiet: true });
  $("#who").replaceChildren(...(signedIn ? [element("span", {}, state.user.email), leave()] : []));
}

/* Tickets that this browser has listed: the API lists those for sale alone. */

const shelf = () => `listed by ${state.user.id}`;

function listed() {
  try {
    return JSON.parse(localStorage.getItem(shelf())) ?? [];
  } catch {
    return [];
  }
}

function remember(id) {
  localStorage.setItem(shelf(), JSON.stringify([id, ...listed()].slice(0, 50)));
}

/* What a thing looks like */

function lookOfTicket(ticket) {
  const parts = [
    element("span", { className: "name" }, ticket.title),
    element("span", { className: "price" }, dollars.format(ticket.price)),
  ];
  if (state.user?.id === ticket.userId) {
    return [...parts, element("span", { className: "state" }, "Yours")];
  }
  const buy = async () => {
    if (!state.user) {
      $("#email").focus();
      return "Sign in to buy a ticket.";
    }
    await call("POST", "/api/orders", { ticketId: ticket.id });
    return `"${ticket.title}" is held for you. Pay before the time is up.`;
  };
  return [...parts, button("Buy", buy, { label: `Buy ${ticket.title}` })];
}

const STATES = {
  created: ["wait", "Held for you"],
  "awaiting:payment": ["wait", "The payment is under way"],
  complete: ["good", "Paid: the ticket is yours"],
  cancelled: ["", "Cancelled"],
};

function lookOfOrder(order) {
  const [kind, words] = STATES[order.status] ?? ["", order.status];
  const parts = [
    element("span", { className: "name" }, order.ticket.title),
    element("span", { className: "price" }, dollars.format(order.ticket.price)),
  ];
  if (order.status !== "created") {
    return [...parts, element("span", { className: `state ${kind}` }, words)];
  }
  const pay = (token) => async () => {
    await call("POST", "/api/payments", { orderId: order.id, token });
    return `You have paid for "${order.ticket.title}".`;
  };
  const cancel = async () => {
    await call("DELETE", `/api/orders/${order.id}`);
    return `The order of "${order.ticket.title}" is cancelled.`;
  };
  const left = element("span", { className: `state ${kind}` }, words);
  left.dataset.until = order.expiresAt;
  tell(left);
  const of = order.ticket.title;
  return [
    ...parts,
    left,
    element("div", { className: "row" },
      button("Pay", pay("tok_visa"), { label: `Pay for ${of}` }),
      button("Declined card", pay("tok_chargeDeclined"),
        { quiet: true, label: `Pay for ${of} with a card that is declined` }),
      button("Cancel", cancel, { quiet: true, label: `Cancel the order of ${of}` })),
  ];
}

function lookOfOwn(ticket) {
  const held = ticket.orderId !== undefined && ticket.orderId !== null;
  const parts = [
    element("span", { className: "name" }, ticket.title),
    element("span", { className: "price" }, dollars.format(ticket.price)),
    element("span", { className: `state ${held ? "good" : ""}` },
      held ? "Reserved or sold" : "For sale"),
  ];
  if (held) return parts;
  const field = element("input", { value: ticket.price, inputMode: "decimal" });
  field.id = `price-${ticket.id}`;
  const editing = (event) => event.currentTarget.closest("li").dataset.busy = "editing";
  field.addEventListener("input", editing);
  const change = async () => {
    delete field.closest("li").dataset.busy;
    const price = amount(field.value);
    await call("PUT", `/api/tickets/${ticket.id}`, { title: ticket.title, price });
    return `"${ticket.title}" costs ${dollars.format(price)} now.`;
  };
  const label = element("label", {}, "Price");
  label.htmlFor = field.id;
  return [
    ...parts,
    element("div", { className: "edit" }, label, field,
      button("Change", change, { quiet: true, label: `Change the price of ${ticket.title}` })),
  ];
}

/// A number, or the text itself, which the service then refuses in its own words.
function amount(text) {
  const number = Number(text.trim().replace(/^\$/, ""));
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

/* Time */

function tell(left) {
  const now = Date.now() + state.offset;
  const seconds = Math.max(0, Math.ceil((Date.parse(left.dataset.until) - now) / 1000));
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  left.textContent = seconds > 0 ? `Held for you for ${clock}` : "The time is up";
  left.classList.toggle("bad", seconds === 0);
}

/* Keeping up */

/// The newest things, so many of them at most. The services give a hundred at a time.
async function newest(path, count) {
  const things = [];
  while (things.length < count) {
    const limit = Math.min(count - things.length, 100);
    const after = things.length > 0 ? `&after=${things.at(-1).id}` : "";
    const got = await call("GET", `${path}?limit=${limit}${after}`);
    things.push(...got);
    if (got.length < limit) break;
  }
  return things;
}

async function page(section, path, look, paging) {
  const things = await newest(path, paging.limit + 1);
  const more = things.length > paging.limit;
  show($(".list", section), things.slice(0, paging.limit), look);
  $(".more", section).hidden = !more;
}

let refreshing = Promise.resolve();

/// Asks again for everything that is shown. Two refreshes never overlap.
function refresh() {
  refreshing = refreshing.then(async () => {
    try {
      if (state.user === undefined) await identify();
      await page($("#sale"), "/api/tickets", lookOfTicket, state.tickets);
      if (!state.user) return;
      await page($("#orders"), "/api/orders", lookOfOrder, state.orders);
      const own = await Promise.all(
        listed().map((id) => call("GET", `/api/tickets/${id}`).catch(() => null)));
      show($("#mine .list"), own.filter(Boolean), lookOfOwn);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 401) await identify().catch(() => {});
      else say(`${error.message}.`);
    }
  });
  return refreshing;
}

onSubmit($("#sign"), async ({ email, password }, way) => {
  await call("POST", `/api/users/${way || "signin"}`, { email, password });
  await identify();
  return `Welcome, ${state.user?.email ?? email}.`;
});

onSubmit($("#sell"), async ({ title, price }) => {
  const ticket = await call("POST", "/api/tickets", { title, price: amount(price) });
  remember(ticket.id);
  return `"${ticket.title}" is for sale.`;
});

onSubmit($("#change"), async (fields) => {
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  await call("PATCH", "/api/users/me", Object.fromEntries(given));
  await identify();
  return "Your account is changed.";
});

for (const [id, paging] of [["sale", state.tickets], ["orders", state.orders]]) {
  $(`#${id} .more`).addEventListener("click", () => {
    paging.limit += PAGE;
    refresh();
  });
}

setInterval(() => document.querySelectorAll("[data-until]").forEach(tell), 500);
setInterval(() => document.visibilityState === "visible" && refresh(), PAUSE);
refresh();

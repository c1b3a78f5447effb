// Elements of the page, and commands to the program behind it.

const $ = (selector) => document.querySelector(selector);

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

$("#open").addEventListener("submit", (event) => {
  event.preventDefault();
  window.open(`/_/run?token=${encodeURIComponent($("#token").value)}`);
});

function button(label, command, done, name) {
  const made = element("button", { type: "button", className: "quiet small", "aria-label": name }, label);
  made.addEventListener("click", () => order(command, done));
  return made;
}

/** The page: asks for a streamed completion, and shows each piece as it comes. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} with the id ${id}.`);
}

const form = element("form", HTMLFormElement);
const prompt = element("prompt", HTMLTextAreaElement);
const maxTokens = element("max-tokens", HTMLInputElement);
const temperature = element("temperature", HTMLInputElement);
const key = element("key", HTMLInputElement);
const mark = element("mark", HTMLInputElement);
const streamButton = element("stream", HTMLButtonElement);
const stopButton = element("stop", HTMLButtonElement);
const completion = element("completion", HTMLParagraphElement);
const empty = element("empty", HTMLParagraphElement);
const status = element("status", HTMLParagraphElement);
const figures = {
  first: element("first", HTMLOutputElement),
  pace: element("pace", HTMLOutputElement),
  count: element("count", HTMLOutputElement),
};

/** @type {string | undefined} */
let model;
/** @type {AbortController | undefined} */
let running;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void stream();
});
stopButton.addEventListener("click", () => running?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});
mark.addEventListener("change", () => completion.classList.toggle("marked", mark.checked));
key.addEventListener("change", () => void findModel());
void findModel();

async function findModel() {
  try {
    const response = await fetch("/v1/models", { headers: authorization() });
    if (response.status === 401) element("key-setting", HTMLLabelElement).hidden = false;
    if (!response.ok) {
      tell(await failureOf(response), true);
      return;
    }
    model = (await response.json()).data[0].id;
    element("model", HTMLParagraphElement).textContent = model ?? "";
    if (key.value !== "") tell("Ready.");
  } catch (error) {
    tell(`The server does not answer: ${messageOf(error)}`, true);
  }
}

async function stream() {
  if (running !== undefined) return;
  running = new AbortController();
  begin();
  const clock = createClock();
  try {
    const response = await fetch("/v1/completions", {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization() },
      body: JSON.stringify({
        model,
        prompt: prompt.value,
        max_tokens: maxTokens.valueAsNumber,
        temperature: temperature.valueAsNumber,
        stream: true,
        stream_options: { include_usage: true },
      }),
      signal: running.signal,
    });
    if (!response.ok || response.body === null) throw new Error(await failureOf(response));
    let reason = "";
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") break;
      const { error, choices, usage } = JSON.parse(data);
      if (error) throw new Error(error.message);
      const choice = choices[0];
      if (choice?.text) {
        show(choice.text);
        clock.tick();
      }
      reason = choice?.native_finish_reason ?? reason;
      // One piece can be several tokens, so the server's own count has the last word.
      if (usage) clock.counted(usage.completion_tokens);
    }
    tell(`${clock.summary()} (finish: ${reason})`);
  } catch (error) {
    if (running.signal.aborted) tell(`Stopped. ${clock.summary()}`);
    else tell(messageOf(error), true);
  } finally {
    end();
  }
}

/** @returns {Record<string, string>} */
function authorization() {
  return key.value === "" ? {} : { authorization: `Bearer ${key.value}` };
}

function begin() {
  const asked = document.createElement("b");
  asked.className = "prompt";
  asked.textContent = prompt.value;
  completion.replaceChildren(asked);
  // Kept from screen readers until it is whole: read token by token it would be noise.
  completion.ariaBusy = "true";
  empty.hidden = true;
  for (const figure of Object.values(figures)) figure.value = "–";
  tell("Writing…");
  streamButton.disabled = true;
  stopButton.disabled = false;
  if (document.activeElement === document.body) stopButton.focus();
}

function end() {
  running = undefined;
  completion.ariaBusy = "false";
  streamButton.disabled = false;
  const hadFocus = document.activeElement === stopButton;
  stopButton.disabled = true;
  if (hadFocus) streamButton.focus();
}

/** @param {string} text */
function show(text) {
  const piece = document.createElement("span");
  piece.className = "piece";
  piece.textContent = text;
  completion.append(piece);
}

/** The figures of one completion; the pace counts from the first token, as "first" is told apart. */
function createClock() {
  const startedAt = performance.now();
  let firstAt = startedAt;
  let lastAt = startedAt;
  let tokens = 0;
  const showFigures = () => {
    figures.count.value = String(tokens);
    figures.first.value = (firstAt - startedAt).toFixed(0);
    if (tokens > 1 && lastAt > firstAt) {
      figures.pace.value = (((tokens - 1) / (lastAt - firstAt)) * 1000).toFixed(0);
    }
  };
  return {
    tick() {
      lastAt = performance.now();
      if (tokens === 0) firstAt = lastAt;
      tokens += 1;
      showFigures();
    },
    /** @param {number} count */
    counted(count) {
      tokens = count;
      showFigures();
    },
    summary: () => `${tokens} tokens in ${((lastAt - startedAt) / 1000).toFixed(2)} s`,
  };
}

/**
 * The data of each server-sent event. The server ends lines with LF, and gives
 * each event one line of data; comments are skipped.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice("data: ".length);
  }
}

/** @param {Response} response */
async function failureOf(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

/**
 * @param {string} text
 * @param {boolean} [isWrong]
 */
function tell(text, isWrong = false) {
  status.textContent = text;
  status.classList.toggle("wrong", isWrong);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// One client of one block, in a process of its own. Prints one line of JSON:
//   node client.mjs fetch|load <url>
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readLoadSamples, runLoad } from "../../packages/bench/dist/load/index.js";
import { terms } from "./terms.mjs";

const { perSecond, seconds, chunks } = terms;
const clients = { fetch: bareFetch, load };

const [kind, url] = process.argv.slice(2);
const before = process.cpuUsage();
const requests = await clients[kind](url);
const { user, system } = process.cpuUsage(before);
const result = { requests, cpuMicroseconds: user + system };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

/** Sends each request when it is due and reads bytes: nothing is parsed, and little is kept. */
async function bareFetch(base) {
  const startAt = performance.now() + 200;
  const body = JSON.stringify({
    model: "known",
    messages: [{ role: "user", content: "one two three four five six seven eight" }],
    stream: true,
  });
  const headers = { "content-type": "application/json" };
  const pending = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const dueAt = startAt + (index * 1000) / perSecond;
    // A timer may fire early; nobody is asked before it is due.
    while (performance.now() < dueAt) await wait(Math.ceil(dueAt - performance.now()));
    pending.push(
      (async () => {
        const sentAt = performance.now();
        const response = await fetch(`${base}/chat/completions`, { method: "POST", headers, body });
        let firstAt = null;
        for await (const _bytes of response.body) firstAt ??= performance.now();
        return {
          latenessMilliseconds: sentAt - dueAt,
          firstMilliseconds: firstAt - dueAt,
          endMilliseconds: performance.now() - dueAt,
        };
      })(),
    );
  }
  return await Promise.all(pending);
}

async function load(base) {
  const outputFolder = await mkdtemp(join(tmpdir(), "streamgauge-load-client-"));
  try {
    const { record } = await runLoad({
      target: {
        kind: "endpoint",
        url: base,
        host: new URL(base).host,
        model: "known",
        api: "chat",
      },
      mix: {
        source: "filler",
        list: [],
        inputTokens: { kind: "fixed", count: 8 },
        outputTokens: { kind: "fixed", count: chunks },
        ignoreEos: false,
      },
      offer: { kind: "rates", perSecond: [perSecond], seconds },
      arrivals: "constant",
      seed: 7,
      outputFolder,
    });
    const files = record.steps.flatMap(({ rawSamples }) => rawSamples.map(({ file }) => file));
    const samples = [];
    for (const file of files) {
      samples.push(...(await readLoadSamples(await readFile(join(outputFolder, file)))).requests);
    }
    const failed = samples.filter(({ outcome }) => outcome !== "completed");
    if (failed.length > 0) throw new Error(`${failed.length} requests failed: ${failed[0].error}.`);
    return samples.map((sample) => ({
      latenessMilliseconds: sample.latenessNanoseconds / 1e6,
      firstMilliseconds: sample.deliveredNanoseconds[0] / 1e6,
      endMilliseconds: sample.endNanoseconds / 1e6,
    }));
  } finally {
    await rm(outputFolder, { recursive: true, force: true });
  }
}

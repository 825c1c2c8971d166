// What `streamgauge load` itself adds to latencies: beside a loop of fetch that parses nothing, in
// turns, each in a fresh process, against a server with known latencies on the same machine:
//   node scripts/load-client/measure.mjs results/<name>
// Nothing else may run meanwhile. Takes about five minutes.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { terms } from "./terms.mjs";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder of the record: results/<name>.");
const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const measures = {
  "lateness p50": [({ latenessMilliseconds }) => latenessMilliseconds, 0.5],
  "lateness p99": [({ latenessMilliseconds }) => latenessMilliseconds, 0.99],
  "first token p50": [({ firstMilliseconds }) => firstMilliseconds, 0.5],
  "first token p99": [({ firstMilliseconds }) => firstMilliseconds, 0.99],
  "end to end p50": [({ endMilliseconds }) => endMilliseconds, 0.5],
  "end to end p99": [({ endMilliseconds }) => endMilliseconds, 0.99],
};

const git = (...words) => execFileSync("git", words, { encoding: "utf8" }).trim();
const record = {
  schema: "streamgauge/load-client",
  startedAt: new Date().toISOString(),
  environment: {
    cpuModel: cpus()[0]?.model.trim(),
    logicalCores: availableParallelism(),
    nodeVersion: process.versions.node,
    git: {
      commit: git("rev-parse", "HEAD"),
      dirty: git("status", "--porcelain", "--", ":/", ":(top,exclude)results") !== "",
    },
  },
  terms,
  blocks: [],
};
for (let block = 0; block < terms.blocks; block += 1) {
  const order = block % 2 === 0 ? ["fetch", "load"] : ["load", "fetch"];
  const of = {};
  for (const kind of order) of[kind] = summarize(await runClient(kind));
  record.blocks.push({ order, ...of });
  process.stderr.write(`block ${block + 1} of ${terms.blocks}\n`);
}
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "load-client.json"), `${JSON.stringify(record, undefined, 1)}\n`);
print();

/** A fresh server and a fresh client. */
async function runClient(kind) {
  const server = spawn(process.execPath, [file("server.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const [port] = await once(server.stdout, "data");
    const url = `http://127.0.0.1:${String(port).trim()}/v1`;
    const client = spawn(process.execPath, [file("client.mjs"), kind, url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    client.stdout.setEncoding("utf8").on("data", (part) => (text += part));
    const [code] = await once(client, "close");
    if (code !== 0) throw new Error(`client.mjs ${kind} ended with ${code}.`);
    return JSON.parse(text);
  } finally {
    server.stdin.end();
    if (server.exitCode === null) await once(server, "close");
  }
}

function summarize({ requests, cpuMicroseconds }) {
  const expected = terms.perSecond * terms.seconds;
  if (requests.length !== expected) {
    throw new Error(`${requests.length} of ${expected} requests came back.`);
  }
  const milliseconds = Object.fromEntries(
    Object.entries(measures).map(([name, [value, share]]) => [
      name,
      quantile(requests.map(value), share),
    ]),
  );
  return { milliseconds, cpuMicrosecondsPerRequest: cpuMicroseconds / requests.length };
}

/** The nearest rank. */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1];
}

function print() {
  const rows = Object.keys(measures).map((name) =>
    row(name, "ms", ({ milliseconds }) => milliseconds[name]),
  );
  rows.push(row("CPU a request", "µs", (of) => of.cpuMicrosecondsPerRequest));
  process.stdout.write(`${rows.join("\n")}\n`);
}

function row(name, unit, value) {
  const { blocks } = record;
  const middle = (values) => quantile(values, 0.5).toFixed(3);
  const differences = blocks.map(({ fetch, load }) => value(load) - value(fetch));
  return (
    `${name.padEnd(16)} fetch ${middle(blocks.map(({ fetch }) => value(fetch)))} ${unit}, ` +
    `load ${middle(blocks.map(({ load }) => value(load)))} ${unit}, difference ` +
    `${middle(differences)} ${unit} (${Math.min(...differences).toFixed(3)} to ` +
    `${Math.max(...differences).toFixed(3)} in ${blocks.length} blocks)`
  );
}

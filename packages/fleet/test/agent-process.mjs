// An agent as a process of its own: node agent-process.mjs <options as JSON>. Its events are lines of JSON.
import { runAgent } from "@streamgauge/fleet";

const ending = new AbortController();
process.on("SIGTERM", () => ending.abort());
try {
  await runAgent({
    ...JSON.parse(process.argv[2]),
    signal: ending.signal,
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
} catch (error) {
  process.stdout.write(
    `${JSON.stringify({ kind: "error", text: `${error.code}: ${error.message}` })}\n`,
  );
  process.exitCode = 1;
}

// A coordinator as a process of its own: node coordinator-process.mjs <options> <target>, both as JSON.
import { coordinate } from "@streamgauge/fleet";

const [options, target] = process.argv.slice(2).map((text) => JSON.parse(text));
await coordinate(options, {
  ...target,
  onProgress: (progress) => process.stdout.write(`${JSON.stringify(progress)}\n`),
});

// The bench as it is on one machine: node --import known-samples.mjs reference.mjs <options as JSON>
import { runBench } from "@streamgauge/bench";

await runBench(JSON.parse(process.argv[2]));

// A process that keeps one core busy while something runs; as a program, that process.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.url);
const sliceMilliseconds = 5;

if (process.argv[1] === program && process.send !== undefined) {
  let isBusy = false;
  const spin = () => {
    if (!isBusy) return;
    const end = performance.now() + sliceMilliseconds;
    while (performance.now() < end);
    setImmediate(spin);
  };
  process.on("disconnect", () => process.exit());
  process.on("message", (order) => {
    isBusy = order === "spin";
    spin();
    process.send(order);
  });
}

export function startBusyCore() {
  const child = fork(program);
  const order = async (what) => {
    child.send(what);
    await once(child, "message");
  };
  return {
    async during(run) {
      await order("spin");
      try {
        return await run();
      } finally {
        await order("rest");
      }
    },
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

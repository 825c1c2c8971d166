import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRawSamples, runBench, verifyRecord, type ResultRecord } from "@streamgauge/bench";
import {
  measureInstrument,
  PartRecorder,
  runProcess,
  watchEnvironment,
  type Elsewhere,
  type PartOrder,
  type RecordedPart,
} from "@streamgauge/bench/parts";
import { tinyModule, withModule } from "./scenario-module.js";

const timeout = 120_000;

/** Measures a part here, as an agent does on its machine. */
async function record(order: PartOrder): Promise<RecordedPart> {
  const files = new Map<string, Uint8Array>();
  const recorder = new PartRecorder(order, (name, bytes) => {
    files.set(name, bytes);
    return Promise.resolve();
  });
  await runProcess(order, { sink: recorder, signal: undefined, report: () => undefined });
  const { environment } = await watchEnvironment();
  return {
    // It crosses as JSON.
    document: JSON.parse(JSON.stringify(recorder.document)) as unknown,
    files,
    machine: { name: `machine-${order.process % 2}`, label: "lab", environment },
  };
}

/** Machines that measure as `change` has it. */
async function elsewhere(
  change: (part: RecordedPart, order: PartOrder) => RecordedPart = (part) => part,
): Promise<
  Elsewhere & { readonly asked: PartOrder[]; readonly taken: (order: PartOrder) => Promise<void> }
> {
  const { environment } = await watchEnvironment();
  const asked: PartOrder[] = [];
  return {
    environment,
    instrument: measureInstrument(),
    asked,
    async *measure(orders) {
      asked.push(...orders);
      for (const order of orders) yield change(await record(order), order);
    },
    taken: () => Promise.resolve(),
  };
}

function options(url: string, outputFolder: string, machines: Elsewhere) {
  return {
    preset: "standard",
    scenarios: ["tiny"],
    modules: [url],
    seed: 3,
    outputFolder,
    claims: [],
    elsewhere: machines,
  };
}

function processesOf({ cells }: ResultRecord): number[][] {
  return cells.map(({ processes }) => processes.map(({ process }) => process));
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];

describe("a run on other machines", () => {
  it(
    "has every process once, says who measured it, and verifies",
    async () => {
      await withModule(tinyModule(5), async (url, folder) => {
        const machines = await elsewhere();
        const { record: made } = await runBench(options(url, folder, machines));
        expect(made.status).toBe("complete");
        expect(processesOf(made)).toEqual([eight, eight]);
        expect(made.machines).toMatchObject([
          { name: "machine-0", label: "lab", processes: [0, 2, 4, 6] },
          { name: "machine-1", label: "lab", processes: [1, 3, 5, 7] },
        ]);
        expect(machines.asked.map(({ process }) => process)).toEqual(eight);
        const read = (file: string): Promise<Uint8Array> => readFile(join(folder, file));
        expect((await verifyRecord(made, read)).problems).toEqual([]);
        // Machines are samples too, and what is said of them follows from the blocks.
        expect(made.machineComparisons).toHaveLength(2 * 3);
        const [first, ...others] = made.machineComparisons ?? [];
        const altered = { ...made, machineComparisons: [{ ...first!, machines: 3 }, ...others] };
        expect((await verifyRecord(altered, read)).problems).toEqual([
          expect.stringContaining("The machines: ") as string,
        ]);
        const file = made.cells[0]?.rawSamples?.file ?? "";
        const { blocks } = await readRawSamples(await read(file));
        expect(blocks.map(({ process }) => process)).toEqual(eight.flatMap((one) => [one, one]));
      });
    },
    timeout,
  );

  it(
    "is resumed with what is missing alone",
    async () => {
      await withModule(tinyModule(5), async (url, folder) => {
        const controller = new AbortController();
        const first = await elsewhere((part, { process }) => {
          if (process === 2) controller.abort();
          return part;
        });
        const { record: half } = await runBench({
          ...options(url, folder, first),
          signal: controller.signal,
        });
        expect(half.status).toBe("interrupted");
        expect(processesOf(half)).toEqual([
          [0, 1],
          [0, 1],
        ]);
        const second = await elsewhere();
        const { record: whole } = await runBench({
          resume: folder,
          modules: [url],
          claims: [],
          elsewhere: second,
        });
        expect(whole).toMatchObject({ status: "complete", runId: half.runId });
        expect(processesOf(whole)).toEqual([eight, eight]);
        expect(second.asked.map(({ process }) => process)).toEqual(eight.slice(2));
        // The name of a part follows from its order: it is what it was.
        expect(second.asked[0]).toEqual(first.asked[2]);
      });
    },
    timeout,
  );

  it("knows the machine of every process that it has, also where it ends at the worst moment", async () => {
    await withModule(tinyModule(5), async (url, folder) => {
      const machines = await elsewhere((part, { process }) => {
        if (process < 1) return part;
        // Where the machine is asked for, as where a coordinator is killed at that moment.
        const { label, environment } = part.machine;
        const machine = {
          label,
          environment,
          get name(): string {
            throw new Error("It ends here.");
          },
        };
        return { ...part, machine };
      });
      await expect(runBench(options(url, folder, machines))).rejects.toThrow("It ends here.");
      const saved = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as ResultRecord;
      expect(processesOf(saved)).toEqual([[0], [0]]);
      expect(saved.machines?.flatMap(({ processes }) => processes)).toEqual([0]);
    });
  });

  it.each<[string, RegExp, (part: RecordedPart) => RecordedPart]>([
    [
      "of another process",
      /process 9 .* was asked for/s,
      (part) => ({ ...part, document: { ...Object(part.document), process: 9 } as unknown }),
    ],
    ["that is no document", /"part" must be/, (part) => ({ ...part, document: 3 })],
    [
      "without its samples",
      /its file "samples-0" is missing/,
      (part) => ({ ...part, files: new Map() }),
    ],
    [
      "with damaged samples",
      /do not read/,
      (part) => ({
        ...part,
        files: new Map([...part.files].map(([name]) => [name, Buffer.of(1)])),
      }),
    ],
    [
      "with a cell too few",
      /tiny-5 is missing/,
      (part) => withEntries(part, (all) => all.slice(0, 1)),
    ],
    [
      "with a cell twice",
      /tiny-5 is in it twice/,
      (part) => withEntries(part, (all) => [...all, all[1]]),
    ],
    [
      "with a file outside of its folders",
      /outside of the folders/,
      (part) =>
        withEntries(part, (all) => [
          ...all,
          { kind: "file", name: "../record.json", file: "samples-0" },
        ]),
    ],
  ])("refuses a part %s, and keeps nothing of it", async (_, message, change) => {
    await withModule(tinyModule(5), async (url, folder) => {
      const running = runBench(options(url, folder, await elsewhere(change)));
      await expect(running).rejects.toMatchObject({
        code: "INVALID_PART",
        message: expect.stringMatching(message) as string,
      });
      const saved = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as ResultRecord;
      expect(saved).toMatchObject({ status: "interrupted", cells: [] });
    });
  });

  it("refuses what cannot cross to other machines", async () => {
    const machines = await elsewhere();
    for (const [given, what] of [
      [{ endpoint: { url: "http://h/v1", model: "m" } }, "an endpoint"],
      [{ model: "/models/mine" }, "a model that is not built in"],
      [{ dtype: "q4" }, "a dtype"],
      [{ openGenerator: () => Promise.reject(new Error("no")) }, "openGenerator"],
    ] as const) {
      await expect(runBench({ ...given, elsewhere: machines })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining(`${what} cannot cross`) as string,
      });
    }
  });
});

/** With other entries: the generator's first, then the cells'. */
function withEntries(
  part: RecordedPart,
  change: (entries: readonly unknown[]) => readonly unknown[],
): RecordedPart {
  const document = part.document as { readonly entries: readonly unknown[] };
  return { ...part, document: { ...document, entries: change(document.entries) } };
}

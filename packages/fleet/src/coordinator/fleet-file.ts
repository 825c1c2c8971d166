import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { invalidOption, messageOf } from "@streamgauge/core";
import { z } from "zod";
import { readMessage } from "../messages/read-message.js";
import { keyName, shortText } from "../messages/words.js";

/** What a run on many machines was asked for, and of whom: beside the folders of its classes. */
export interface FleetFile {
  readonly format: "streamgauge/fleet";
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly preset: string | null;
  readonly seed: number;
  readonly selection: {
    readonly scenarios: readonly string[] | null;
    readonly tokens: readonly number[] | null;
    readonly blocks: number | null;
    readonly model: string | null;
    readonly timeBudgetMinutes: number | null;
    readonly profiles: readonly string[] | null;
  };
  /** Sorted by class. The record of each is in the folder of its name. */
  readonly classes: readonly { readonly machineClass: string; readonly label: string }[];
}

const schema: z.ZodType<FleetFile> = z.object({
  format: z.literal("streamgauge/fleet"),
  version: z.literal(1),
  startedAt: z.string(),
  preset: z.string().nullable(),
  seed: z.int(),
  selection: z.object({
    scenarios: z.array(z.string()).nullable(),
    tokens: z.array(z.number()).nullable(),
    blocks: z.number().nullable(),
    model: z.string().nullable(),
    timeBudgetMinutes: z.number().nullable(),
    profiles: z.array(z.string()).nullable(),
  }),
  classes: z.array(z.object({ machineClass: keyName, label: shortText })),
});

const fileName = "fleet.json";

/** @throws StreamgaugeError `INVALID_OPTION` where the folder holds such a run already */
export async function requireNewFolder(folder: string): Promise<void> {
  const isThere = await access(join(folder, fileName)).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw invalidOption(
    `${folder} holds a run on many machines already: give another --out, or go on with it by --resume.`,
  );
}

/** Makes the folder where it is not there. */
export async function writeFleetFile(folder: string, file: FleetFile): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  await writeFile(`${path}.tmp`, `${JSON.stringify(file, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

/** @throws StreamgaugeError `INVALID_OPTION` where the folder is not that of such a run */
export async function readFleetFile(folder: string): Promise<FleetFile> {
  let text: string;
  try {
    text = await readFile(join(folder, fileName), "utf8");
  } catch (cause) {
    throw invalidOption(
      `${folder} holds no run on many machines (${messageOf(cause)}). Give the folder that its ` +
        `--out named, or leave --fleet out to go on with a run of this machine.`,
    );
  }
  return readMessage(schema, text, `the file ${fileName}`);
}

import { calibrate } from "../conclude/calibration.js";
import { judgeClaims, type Claim } from "../conclude/claims.js";
import { compareEndpoints } from "../conclude/endpoint-comparison.js";
import type { Clock } from "../plan/clock.js";
import { compareMachines } from "../conclude/machine-comparison.js";
import { deriveBlock, deriveCell } from "../conclude/derivation.js";
import type { EnvironmentWatch } from "./environment.js";
import type { PartMachine } from "./parts/recorded-part.js";
import type { CellPart } from "../measure/experiment.js";
import { withProcess, worstOf } from "./machines.js";
import type { RecordFile } from "./record-file.js";
import { RawSamplesWriter, type RawBlock } from "../measure/raw-samples.js";
import {
  identityOf,
  type Cell,
  type CellIdentity,
  type GeneratorDescription,
  type ProcessPart,
  type RawSamplesReference,
  type ResultRecord,
  type Status,
} from "../record/index.js";
import type { CellPlan, Measurements } from "../plan/stage.js";

/** What a process tells while it measures. In the order in which it happens, each waited for. */
export interface RunSink {
  generatorOpened(generator: GeneratorDescription): Promise<void> | void;
  /** Begins a process's part of a cell; what was there of the same part is dropped. */
  cellBegun(plan: CellPlan, process: number): Promise<void> | void;
  blockDone(cell: string, block: RawBlock): Promise<void> | void;
  cellDone(cell: string, part: CellPart): Promise<void> | void;
  /** @param id of the measurement's plan */
  measured(id: string, measurements: Measurements): Promise<void> | void;
  /** Saves a file beside the record; resolves to its relative path. */
  fileMade(name: string, content: string | Uint8Array): Promise<string>;
  processDone(peakResidentBytes: number): Promise<void> | void;
}

/** A cell while it grows. */
interface GrowingCell {
  readonly identity: CellIdentity;
  readonly plannedBlocks: number;
  /** Sorted by process. */
  readonly rawBlocks: readonly RawBlock[];
  readonly parts: readonly ProcessPart[];
  readonly failure: Cell["failure"];
  readonly promptTokens: number | null;
}

/** Saving takes time from the machine that is measured; losing this much costs little. */
const secondsBetweenSaves = 2;

/** The record of a run while it grows. */
export class Journal implements RunSink {
  readonly #file: RecordFile;
  readonly #watch: EnvironmentWatch;
  readonly #claims: readonly Claim[];
  readonly #clock: Clock;
  readonly #cells = new Map<string, GrowingCell>();
  #record: ResultRecord;
  #peakResidentBytes = 0;
  #savedAtNanoseconds = -Infinity;

  /** @param beginning the record as it is now, with the raw blocks of its cells */
  constructor(
    instruments: { readonly file: RecordFile; readonly watch: EnvironmentWatch } & {
      readonly clock: Clock;
      readonly claims: readonly Claim[];
    },
    beginning: ResultRecord,
    rawBlocks: ReadonlyMap<string, readonly RawBlock[]>,
  ) {
    this.#file = instruments.file;
    this.#watch = instruments.watch;
    this.#clock = instruments.clock;
    this.#claims = instruments.claims;
    this.#record = beginning;
    for (const cell of beginning.cells) this.#cells.set(cell.id, regrow(cell, rawBlocks));
  }

  get record(): ResultRecord {
    return this.#record;
  }

  generatorOpened(generator: GeneratorDescription): void {
    const { generators } = this.#record;
    if (generators.some(({ id }) => id === generator.id)) return;
    this.#record = { ...this.#record, generators: [...generators, generator] };
  }

  cellBegun(plan: CellPlan, process: number): void {
    const before = this.#cells.get(plan.id);
    const parts = (before?.parts ?? []).filter((part) => part.process !== process);
    this.#cells.set(plan.id, {
      identity: identityOf(plan),
      // A process can have other numbers of blocks than the one before it.
      plannedBlocks: (before?.plannedBlocks ?? 0) + plan.blocks,
      rawBlocks: (before?.rawBlocks ?? []).filter((block) => block.process !== process),
      parts: [...parts, { process, status: "running", blocks: 0, warmUp: noWarmUp }],
      failure: null,
      promptTokens: before?.promptTokens ?? null,
    });
  }

  async blockDone(cell: string, block: RawBlock): Promise<void> {
    const growing = this.#cell(cell);
    const rawBlocks = [...growing.rawBlocks, block].toSorted(
      (first, second) => first.process - second.process,
    );
    this.#cells.set(cell, { ...growing, rawBlocks });
    const now = this.#clock.nowNanoseconds();
    if (now - this.#savedAtNanoseconds < secondsBetweenSaves * 1e9) return;
    this.#put(running(this.#cell(cell)));
    await this.#save();
  }

  /**
   * Saves a cell that has ended: its samples first, so that a record never names
   * a file that is not there. A crash costs the samples of the running cell only.
   */
  async cellDone(cell: string, { failure, promptTokens, ...part }: CellPart): Promise<void> {
    const growing = this.#cell(cell);
    const done: GrowingCell = {
      ...growing,
      failure,
      promptTokens: promptTokens ?? growing.promptTokens,
      parts: [...growing.parts.filter(({ process }) => process !== part.process), part],
    };
    this.#cells.set(cell, done);
    await this.#watch.sample();
    await this.#forgetRawSamples(done);
    this.#put({
      ...running(done),
      status: statusOf(done.parts),
      ...deriveCell(done.rawBlocks, done.identity),
      rawSamples: await this.#saveRawSamples(done),
    });
    await this.#save();
  }

  async measured(id: string, measurements: Measurements): Promise<void> {
    const { plan } = this.#record;
    this.#record = {
      ...this.#record,
      ...join(this.#record, measurements),
      plan: {
        ...plan,
        measured: [...plan.measured, id],
        ...(plan.added && { added: [...plan.added, { id, entries: countsOf(measurements) }] }),
      },
    };
    await this.#save();
  }

  async fileMade(name: string, content: string | Uint8Array): Promise<string> {
    return await this.#file.saveFile(name, content);
  }

  processDone(peakResidentBytes: number): void {
    this.#peakResidentBytes = Math.max(this.#peakResidentBytes, peakResidentBytes);
  }

  /** Saves the record as it is, so that the run can be resumed from here. */
  async save(): Promise<void> {
    await this.#save();
  }

  /** Another machine measured a process, which the sink is told of next. */
  async measuredBy(process: number, machine: PartMachine): Promise<void> {
    const { machines = [] } = this.#record;
    this.#record = { ...this.#record, machines: withProcess(machines, process, machine) };
    await this.#save();
  }

  /** Judges the claims by what is there. */
  judge(): void {
    const { cells, plan } = this.#record;
    this.#record = { ...this.#record, claims: judgeClaims(this.#claims, cells, plan.looks) };
  }

  /** Judges the claims and saves for the last time. */
  async end(status: "complete" | "interrupted"): Promise<{ record: ResultRecord; path: string }> {
    const calibration = calibrate(this.#record.cells);
    const endpoints = compareEndpoints(this.#record.cells);
    const machineComparisons = compareMachines(this.#record);
    this.judge();
    const environment = worstOf(await this.#watch.conclude(), this.#record.machines ?? []);
    this.#record = {
      ...this.#record,
      status,
      endedAt: new Date().toISOString(),
      environment: {
        ...environment,
        peakResidentBytes: Math.max(environment.peakResidentBytes, this.#peakResidentBytes),
      },
      ...(calibration.length === 0 ? {} : { calibration }),
      ...(endpoints.length === 0 ? {} : { endpoints }),
      ...(machineComparisons.length === 0 ? {} : { machineComparisons }),
    };
    await this.#save();
    return { record: this.#record, path: this.#file.path };
  }

  #cell(id: string): GrowingCell {
    const growing = this.#cells.get(id);
    if (growing === undefined) throw new RangeError(`The cell ${id} has not begun.`);
    return growing;
  }

  #put(cell: Cell): void {
    const { cells } = this.#record;
    const known = cells.some(({ id }) => id === cell.id);
    this.#record = {
      ...this.#record,
      cells: known ? cells.map((other) => (other.id === cell.id ? cell : other)) : [...cells, cell],
    };
  }

  async #save(): Promise<void> {
    await this.#file.save(this.#record);
    this.#savedAtNanoseconds = this.#clock.nowNanoseconds();
  }

  /**
   * Has the record on disk name no samples of a cell whose file is about to be replaced: it has no
   * blocks of a cell but those in the file that it names.
   */
  async #forgetRawSamples(growing: GrowingCell): Promise<void> {
    const known = this.#record.cells.find(({ id }) => id === growing.identity.id);
    // Before the first save the folder can hold the record of the run that is resumed, or of another.
    const isSaved = this.#savedAtNanoseconds !== -Infinity;
    if (isSaved && (known?.rawSamples ?? null) === null) return;
    this.#put(running(growing));
    await this.#save();
  }

  async #saveRawSamples({ identity, rawBlocks }: GrowingCell): Promise<RawSamplesReference | null> {
    if (rawBlocks.length === 0) return null;
    const writer = new RawSamplesWriter({ runId: this.#record.runId, cell: identity.id });
    for (const block of rawBlocks) writer.add(block);
    return await this.#file.saveRawSamples(identity.id, await writer.finish());
  }
}

const noWarmUp = { blocksDropped: 0, steady: false };

/** A cell as the record shows it while it runs. */
function running({ identity, rawBlocks, parts, ...rest }: GrowingCell): Cell {
  return {
    ...identity,
    ...rest,
    status: "running",
    warmUp: {
      blocksDropped: parts.reduce((sum, { warmUp }) => sum + warmUp.blocksDropped, 0),
      steady: parts.every(({ warmUp }) => warmUp.steady),
    },
    processes: parts,
    blocks: rawBlocks.map((block, index) => deriveBlock(block, index, identity)),
    distributions: [],
    analysis: null,
    rawSamples: null,
  };
}

/** The worst of the parts; a cell between two processes is as complete as they are. */
function statusOf(parts: readonly ProcessPart[]): Status {
  const order: readonly Status[] = ["failed", "interrupted", "running"];
  return order.find((status) => parts.some((part) => part.status === status)) ?? "complete";
}

function regrow(cell: Cell, rawBlocks: ReadonlyMap<string, readonly RawBlock[]>): GrowingCell {
  const { plannedBlocks, failure, promptTokens, processes } = cell;
  return {
    identity: identityOf(cell),
    plannedBlocks,
    rawBlocks: rawBlocks.get(cell.id) ?? [],
    parts: processes,
    failure,
    promptTokens,
  };
}

function countsOf(measurements: Measurements): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(measurements).map(([field, entries]) => [field, entries.length]),
  );
}

/** What was measured before, followed by what is new. */
function join(record: ResultRecord, { ...added }: Measurements): Measurements {
  const fields = Object.keys(added) as (keyof Measurements)[];
  return Object.fromEntries(
    fields.map((field) => [field, [...(record[field] ?? []), ...(added[field] ?? [])]]),
  );
}

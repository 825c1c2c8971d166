import type { CellPart } from "../../measure/experiment.js";
import { RawSamplesWriter, type RawBlock } from "../../measure/raw-samples.js";
import type { CellPlan, Measurements } from "../../plan/stage.js";
import { identityOf, type GeneratorDescription } from "../../record/index.js";
import type { RunSink } from "../journal.js";
import { savedName } from "../record-file.js";
import type { PartDocument, PartEntry, PartIdentity } from "./recorded-part.js";

/** What a recorder is asked to keep elsewhere than in memory. */
export type KeepFile = (name: string, bytes: Uint8Array) => Promise<void>;

/**
 * Keeps what a process says. The files leave memory as they are made; the document is there when the
 * process is done.
 */
export class PartRecorder implements RunSink {
  readonly #identity: PartIdentity;
  readonly #keep: KeepFile;
  readonly #entries: PartEntry[] = [];
  readonly #growing = new Map<string, { plan: CellPlan; samples: RawSamplesWriter }>();
  #files = 0;
  #peakResidentBytes = 0;

  /** @param keep told of each file, one at a time; the names are made here */
  constructor(identity: PartIdentity, keep: KeepFile) {
    // What else the object has is not for the document.
    this.#identity = { runId: identity.runId, process: identity.process };
    this.#keep = keep;
  }

  /** What was said so far. Cells that have begun and not ended are not in it. */
  get document(): PartDocument {
    return {
      format: "streamgauge/part",
      version: 1,
      ...this.#identity,
      entries: this.#entries,
      peakResidentBytes: this.#peakResidentBytes,
    };
  }

  /** Whether every cell came to its end: nothing was interrupted. */
  get isWhole(): boolean {
    return (
      this.#growing.size === 0 &&
      this.#entries.every((entry) => entry.kind !== "cell" || isOver(entry.part))
    );
  }

  generatorOpened(generator: GeneratorDescription): void {
    this.#entries.push({ kind: "generator", generator });
  }

  cellBegun(plan: CellPlan): void {
    const { runId } = this.#identity;
    this.#growing.set(plan.id, { plan, samples: new RawSamplesWriter({ runId, cell: plan.id }) });
  }

  blockDone(cell: string, block: RawBlock): void {
    this.#cell(cell).samples.add(block);
  }

  async cellDone(cell: string, part: CellPart): Promise<void> {
    const { plan, samples } = this.#cell(cell);
    this.#growing.delete(cell);
    const file = samples.blocks === 0 ? null : await this.#save("samples", await samples.finish());
    const { blocks } = plan;
    this.#entries.push({ kind: "cell", plan: { ...identityOf(plan), blocks }, part, file });
  }

  measured(id: string, measurements: Measurements): void {
    this.#entries.push({ kind: "measurement", id, measurements });
  }

  async fileMade(name: string, content: string | Uint8Array): Promise<string> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const file = await this.#save("file", bytes);
    this.#entries.push({ kind: "file", name, file });
    // What the record's own folder will call it.
    return savedName(name);
  }

  processDone(peakResidentBytes: number): void {
    this.#peakResidentBytes = Math.max(this.#peakResidentBytes, peakResidentBytes);
  }

  async #save(kind: "samples" | "file", bytes: Uint8Array): Promise<string> {
    const name = `${kind}-${this.#files}`;
    this.#files += 1;
    await this.#keep(name, bytes);
    return name;
  }

  #cell(id: string): { readonly plan: CellPlan; readonly samples: RawSamplesWriter } {
    const growing = this.#growing.get(id);
    if (growing === undefined) throw new RangeError(`The cell ${id} has not begun.`);
    return growing;
  }
}

function isOver({ status }: CellPart): boolean {
  return status === "complete" || status === "failed";
}

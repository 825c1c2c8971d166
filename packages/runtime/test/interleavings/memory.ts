import { headerBytes, slotBytes } from "../../src/ring/layout.js";
import type { Entry, Operation, PlainMemory } from "./run.js";

const views = { words: Int32Array, halves: Uint16Array, doubles: Float64Array };

/** A ring's memory in one state of an exploration. */
export class Memory implements PlainMemory {
  readonly bytes: ArrayBuffer;
  readonly header: Int32Array;
  /** A number that memories with equal contents share; −1 while not known. */
  contentId = -1;

  static ofRing(capacity: number): Memory {
    return new Memory(new ArrayBuffer(headerBytes + capacity * slotBytes));
  }

  private constructor(bytes: ArrayBuffer) {
    this.bytes = bytes;
    this.header = new Int32Array(bytes, 0, headerBytes / 4);
  }

  plain(operation: Operation & { kind: "read" | "write" }): Entry {
    const { kind, slots, index } = operation;
    const view = new views[slots](this.bytes, headerBytes);
    if (kind === "read") return view[index];
    view[index] = operation.value;
    return undefined;
  }

  copy(): Memory {
    return new Memory(this.bytes.slice(0));
  }
}

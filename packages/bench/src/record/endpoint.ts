import { estimates, type Estimates } from "./estimates.js";
import type { SampleLevel } from "./analysis.js";
import { nullable, number, object, oneOf, optional, string, type Check } from "./shape.js";
import { treatment, type Treatment } from "./treatment.js";

/**
 * The endpoint that a run measured. Its address is not kept, because it can hold
 * secrets; neither are keys and prompts.
 */
export interface RecordedEndpoint extends RecordedServer {
  /** `completions` or `chat`. */
  readonly api: "completions" | "chat";
  /** Most tokens of a generation. */
  readonly maxTokens: number;
  readonly prompts: {
    readonly count: number;
    /** Of the prompts as JSON, in lower-case hexadecimal. */
    readonly sha256: string;
  };
  /** The endpoint that it is compared with. */
  readonly against?: RecordedServer;
}

/** A server, as far as others may know it. */
export interface RecordedServer {
  /** With the port, where the address has one. */
  readonly host: string;
  /** The server's name of the model. */
  readonly model: string;
  /** The environment variable with the key; never the key. */
  readonly keyEnv?: string;
}

/** What of a run is compared between two endpoints. */
export const endpointMetrics = [
  "timeToFirstToken",
  "timePerOutputToken",
  "endToEndPerToken",
] as const;

export type EndpointMetric = (typeof endpointMetrics)[number];

/** One endpoint's runs against the runs of another in the same blocks. */
export interface EndpointComparison {
  /** Id of the cell of the endpoint that was given first. */
  readonly cell: string;
  /** Id of the cell of the other. */
  readonly against: string;
  readonly treatment: Treatment;
  readonly metric: EndpointMetric;
  /** Median over blocks. */
  readonly nanoseconds: number;
  /** Median over blocks. */
  readonly againstNanoseconds: number;
  readonly blocks: number;
  readonly processes: number;
  readonly level: SampleLevel;
  /** Below 1 the first is faster; null with fewer blocks than an interval needs. */
  readonly ratio: Estimates | null;
}

const serverShape = { host: string, model: string, keyEnv: optional(string) };

/** Checks a {@link RecordedEndpoint}. */
export const recordedEndpoint: Check<RecordedEndpoint> = object({
  ...serverShape,
  api: oneOf("completions", "chat"),
  maxTokens: number,
  prompts: object({ count: number, sha256: string }),
  against: optional(object<RecordedServer>(serverShape)),
});

/** Checks an {@link EndpointComparison}. */
export const endpointComparison: Check<EndpointComparison> = object({
  cell: string,
  against: string,
  treatment,
  metric: oneOf(...endpointMetrics),
  nanoseconds: number,
  againstNanoseconds: number,
  blocks: number,
  processes: number,
  level: oneOf("blocks", "processes", "too few processes", "within processes"),
  ratio: nullable(estimates),
});

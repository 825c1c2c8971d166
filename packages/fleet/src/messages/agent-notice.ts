import {
  isEnvironment,
  isInstrument,
  type Environment,
  type Instrument,
} from "@streamgauge/bench/parts";
import { z } from "zod";
import { build, keyName, sha256, shortText, type Build } from "./words.js";

/** What an agent says of itself, for as long as it is there. */
export interface AgentNotice {
  readonly version: 1;
  readonly machine: string;
  readonly label: string;
  readonly machineClass: string;
  readonly build: Build;
  /** SHA-256 of its modules with scenarios. */
  readonly modules: readonly string[];
  /** SHA-256 of the address of the endpoint that it may load; null without one. */
  readonly endpoint: string | null;
  /** Drawn when it starts. */
  readonly session: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The part that it measures; null while it waits for one. */
  readonly part: string | null;
  readonly partsDone: number;
  readonly environment: Environment;
  readonly instrument: Instrument;
}

/** Checks an {@link AgentNotice}. */
export const agentNotice: z.ZodType<AgentNotice> = z.strictObject({
  version: z.literal(1),
  machine: keyName,
  label: shortText,
  machineClass: keyName,
  build,
  modules: z.array(sha256).max(20),
  endpoint: sha256.nullable(),
  session: keyName,
  startedAt: z.string().max(40),
  part: keyName.nullable(),
  partsDone: z.int().min(0),
  environment: z.custom<Environment>(isEnvironment, "it is no environment"),
  instrument: z.custom<Instrument>(isInstrument, "it is no instrument"),
});

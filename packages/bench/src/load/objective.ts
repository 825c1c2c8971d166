import { invalidOption } from "@streamgauge/core";
import type { Objective, ObjectiveLimits } from "../record/index.js";

/** What a limit is called in a flag. */
const names = {
  ttft: "timeToFirstToken",
  itl: "interTokenLatency",
  tpot: "timePerOutputToken",
  e2e: "endToEnd",
} as const satisfies Readonly<Record<string, keyof ObjectiveLimits>>;

const units: Readonly<Record<string, number>> = { us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9 };

/** How limits are written, for help texts and errors. */
export const limitForms = "ttft=500ms,itl=50ms,tpot=40ms,e2e=10s";

/** Share of the requests that has to keep the limits, where nothing else is said. */
export const defaultShare = 0.99;

/**
 * Reads limits as {@link limitForms} has them: any of the four names, once each, with a number
 * above 0 and us, ms, s or min.
 *
 * @throws StreamgaugeError `INVALID_OPTION` naming the part that is none
 */
export function parseLimits(text: string): ObjectiveLimits {
  const limits: { -readonly [Name in keyof ObjectiveLimits]: ObjectiveLimits[Name] } = {};
  for (const part of text.split(",").map((each) => each.trim())) {
    const [, name = "", number = "", unit = ""] =
      /^([a-z0-9]+)=(\d+(?:\.\d+)?)([a-zµ]+)$/.exec(part) ?? [];
    const nanoseconds = Number(number) * (units[unit] ?? Number.NaN);
    if (!isName(name) || !(nanoseconds > 0)) {
      throw invalidOption(
        `"${part}" is no limit; limits are ${limitForms}: ttft, itl, tpot or e2e, and a time above 0 ` +
          `in us, ms, s or min.`,
      );
    }
    const metric = names[name];
    if (limits[metric] !== undefined) {
      throw invalidOption(`The limits have ${name} twice: give it once.`);
    }
    limits[metric] = Math.round(nanoseconds);
  }
  return limits;
}

/** Limits in the words of a flag. */
export function showLimits(limits: ObjectiveLimits): string {
  return Object.entries(names)
    .flatMap(([name, metric]) => {
      const nanoseconds = limits[metric];
      return nanoseconds === undefined ? [] : [`${name} ${showTime(nanoseconds)}`];
    })
    .join(", ");
}

/** @throws StreamgaugeError `INVALID_OPTION` for no limit, or a share that is none */
export function checkObjective({ limits, share }: Objective): void {
  const given = Object.values(limits) as (number | undefined)[];
  if (given.length === 0 || !given.every((limit) => limit !== undefined && limit > 0)) {
    throw invalidOption(`The objective has no limit: give one or more, as ${limitForms}.`);
  }
  if (share > 0 && share <= 1) return;
  throw invalidOption(
    `The share that has to be good is ${share}; it must be above 0 and at most 1.`,
  );
}

/** What a limit is held against. */
export interface JudgedRequest {
  /** null without a token. */
  readonly timeToFirstTokenNanoseconds: number | null;
  /** null with fewer than two chunks. */
  readonly longestGapNanoseconds: number | null;
  /** null with fewer than two tokens. */
  readonly timePerOutputTokenNanoseconds: number | null;
  readonly endToEndNanoseconds: number;
}

/** Whether a completed request kept every limit. What it has no value of, it keeps. */
export function isWithin(limits: ObjectiveLimits, request: JudgedRequest): boolean {
  const keeps = (value: number | null, limit: number | undefined): boolean =>
    value === null || limit === undefined || value <= limit;
  return (
    keeps(request.timeToFirstTokenNanoseconds, limits.timeToFirstToken) &&
    keeps(request.longestGapNanoseconds, limits.interTokenLatency) &&
    keeps(request.timePerOutputTokenNanoseconds, limits.timePerOutputToken) &&
    keeps(request.endToEndNanoseconds, limits.endToEnd)
  );
}

/**
 * Whether the good requests are enough of those that were offered: a request that failed, or was
 * never sent, is not good.
 */
export function isMet({ share }: Objective, good: number, offered: number): boolean {
  return good >= requiredGood(share, offered);
}

/** The fewest good requests that are enough. */
export function requiredGood(share: number, offered: number): number {
  // 0.99 × 100 is 99.00000000000001.
  return Math.ceil(share * offered - 1e-9 * offered);
}

function isName(name: string): name is keyof typeof names {
  return Object.hasOwn(names, name);
}

function showTime(nanoseconds: number): string {
  if (nanoseconds >= 1e9) return `${Number((nanoseconds / 1e9).toPrecision(6))} s`;
  if (nanoseconds >= 1e6) return `${Number((nanoseconds / 1e6).toPrecision(6))} ms`;
  return `${Number((nanoseconds / 1e3).toPrecision(6))} µs`;
}

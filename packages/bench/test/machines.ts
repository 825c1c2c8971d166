import { autoregression, type Draws, type NoiseModel } from "./noise-models.js";
import type { Treatment } from "../src/record/index.js";

/*
 * Machines as measured records show them: what they do to any run, to streams from one
 * block to the next, and to the streams of one process for good. Beside it each run errs
 * by 1 %. All are made so that the mean over processes is the truth.
 */

const spread = 0.01;

function streams(treatment: Treatment): boolean {
  return treatment === "stream" || treatment === "streamAsync";
}

/** Something that happens to all runs alike, one after the other. */
function machine(name: string, start: (draws: Draws) => () => number): NoiseModel {
  return {
    name,
    startProcess: (draws) => {
      const next = start(draws);
      return () => spread * draws.normal() + next();
    },
  };
}

/** Something that is in the streams' own cost, from one run of a mode to its next. */
function streaming(name: string, start: (draws: Draws) => () => number): NoiseModel {
  return {
    name,
    startProcess: (draws) => {
      const next = { stream: start(draws), streamAsync: start(draws) };
      return (treatment) =>
        spread * draws.normal() +
        (treatment === "stream" || treatment === "streamAsync" ? next[treatment]() : 0);
    },
  };
}

/** What the streams of one process are slower by for good. */
function habit(name: string, draw: (draws: Draws) => number): NoiseModel {
  return {
    name,
    startProcess: (draws) => {
      const own = draw(draws);
      return Object.assign(
        (treatment: Treatment) => spread * draws.normal() + (streams(treatment) ? own : 0),
        { own },
      );
    },
  };
}

/** A state that is left with these probabilities at each call; starts as it is in the long run. */
function states(draws: Draws, enter: number, leave: number): () => boolean {
  let on = draws.uniform() < enter / (enter + leave);
  return () => {
    if (draws.uniform() < (on ? leave : enter)) on = !on;
    return on;
  };
}

const stalled = Math.log(1.5);
const slowMode = Math.log(1.08);

/** Wake-ups in one of two modes, which stay for so many blocks on average. */
function stickyModes(blocks: number): NoiseModel {
  return streaming(`wake-ups stay ${blocks} blocks in one of two modes, + 8 %`, (draws) => {
    const isSlow = states(draws, 1 / blocks, 1 / blocks);
    return () => slowMode * ((isSlow() ? 1 : 0) - 0.5);
  });
}

function ownCost(correlation: number): NoiseModel {
  return streaming(`streams' own cost AR(1) ${correlation}, 2 %`, (draws) => {
    const level = autoregression(draws, correlation);
    return () => 0.02 * level();
  });
}

function habitOf(percent: number): NoiseModel {
  return habit(`a process's habit, ${percent} %`, (draws) => (percent / 100) * draws.normal());
}

/** By what a row of the table is called. */
export const machines = {
  white: machine("white", () => () => 0),
  trend: machine("trend of the machine", () => {
    let runs = 0;
    return () => 0.0005 * runs++;
  }),
  regimes: machine("regimes of the machine, + 10 %", (draws) => {
    const isSlow = states(draws, 0.02, 0.02);
    return () => (isSlow() ? Math.log(1.1) : 0);
  }),
  steals: machine(
    "steals from any run, 5 % + 50 %",
    (draws) => () => (draws.uniform() < 0.05 ? stalled : 0),
  ),
  bursts: machine("bursts over some runs, + 30 %", (draws) => {
    const isSlow = states(draws, 0.01, 0.15);
    return () => (isSlow() ? Math.log(1.3) : 0);
  }),
  ar3: ownCost(0.3),
  ar5: ownCost(0.5),
  ar8: ownCost(0.8),
  sticky5: stickyModes(5),
  sticky10: stickyModes(10),
  habit1: habitOf(1),
  habit2: habitOf(2),
  modes: habit(
    "one process in three + 8 %",
    (draws) => slowMode * ((draws.uniform() < 1 / 3 ? 1 : 0) - 1 / 3),
  ),
  stalls: streaming(
    "stalls in streams only, 5 % + 50 %",
    (draws) => () => stalled * ((draws.uniform() < 0.05 ? 1 : 0) - 0.05),
  ),
} as const satisfies Readonly<Record<string, NoiseModel>>;

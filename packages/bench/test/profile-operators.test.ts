import { describe, expect, it } from "vitest";
import {
  SessionRunReader,
  summarizeOperators,
  type OperatorEvent,
  type SessionRun,
} from "../src/profile/operator-summary.js";

function kernel(operator: string, microseconds: number): OperatorEvent {
  return {
    cat: "Node",
    name: `layer_${operator}_kernel_time`,
    dur: microseconds,
    args: { op_name: operator },
  };
}

function read(events: readonly OperatorEvent[]): SessionRun[] {
  const reader = new SessionRunReader();
  return events.map((event) => reader.read(event)).filter((run) => run !== undefined);
}

const end = (microseconds: number): OperatorEvent => ({
  cat: "Session",
  name: "model_run",
  dur: microseconds,
});

describe("SessionRunReader", () => {
  it("gives each run the operators since the one before", () => {
    const runs = read([
      { cat: "Session", name: "session_initialization", dur: 9999 },
      kernel("MatMul", 10),
      { cat: "Node", name: "layer_MatMul_fence_before", dur: 50 },
      kernel("MatMul", 20),
      { cat: "Session", name: "SequentialExecutor::Execute", dur: 34 },
      end(35),
      kernel("Gather", 1),
      end(4),
    ]);
    expect(runs.map(({ microseconds }) => microseconds)).toEqual([35, 4]);
    expect(runs.map(({ operators }) => [...operators])).toEqual([
      [["MatMul", { calls: 2, microseconds: 30 }]],
      [["Gather", { calls: 1, microseconds: 1 }]],
    ]);
  });
});

describe("summarizeOperators", () => {
  it("sums over runs, the slowest operator first", () => {
    const runs = read([
      kernel("Gather", 10),
      kernel("MatMul", 50),
      end(70),
      kernel("MatMul", 40),
      end(50),
    ]);
    expect(summarizeOperators(runs, 2)).toEqual({
      kind: "operators",
      operators: [
        { operator: "MatMul", calls: 2, microsecondsPerToken: 45, fraction: 0.9 },
        { operator: "Gather", calls: 1, microsecondsPerToken: 5, fraction: 0.1 },
      ],
      runMicrosecondsPerToken: 60,
    });
  });
});

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readWorkflow, root, workflowFiles } from "../workflows/workflow-files.mjs";
import { workflowProblems } from "../workflows/workflow-problems.mjs";

const commit = "0123456789012345678901234567890123456789";
const good = `on: push
permissions:
  contents: read
jobs:
  test:
    timeout-minutes: 5
    steps:
      - uses: somebody/something@${commit} # v1.2.3
      - name: Test
        run: pnpm test
      - name: Clean
        run: node scripts/clean.mjs
`;

function problemsOf(text) {
  const read = { file: "example.yml", text, workflow: parse(text) };
  return workflowProblems(read, { root, scripts: { test: "" } });
}

describe("workflowProblems", () => {
  it("finds nothing where nothing is wrong", () => {
    expect(problemsOf(good)).toEqual([]);
  });

  it.each([
    ["nothing starts it", "on: push\n", ""],
    ["it needs `permissions`", "permissions:\n  contents: read\n", ""],
    ["it needs `permissions`", "permissions:\n  contents: read\n", "permissions: write-all\n"],
    ["belong to the job", "contents: read", "contents: write"],
    ["needs `timeout-minutes`", "    timeout-minutes: 5\n", ""],
    ["is not pinned", `${commit} # v1.2.3`, "v1"],
    ["is not pinned", commit, commit.slice(1)],
    ["does not say which version", " # v1.2.3", ""],
    ["puts an expression into a command", "pnpm test", "pnpm test ${{ github.head_ref }}"],
    ['calls the script "tset"', "pnpm test", "pnpm tset"],
    ["calls scripts/claen.mjs", "scripts/clean.mjs", "scripts/claen.mjs"],
    ["needs either `uses` or `run`", "run: pnpm test", "env: {}"],
  ])("says that %s", (problem, before, after) => {
    expect(good).toContain(before);
    expect(problemsOf(good.replace(before, after)).join("\n")).toContain(problem);
  });
});

describe("the workflows", () => {
  it("are there, and each can be parsed", async () => {
    const files = await workflowFiles();
    expect(files).toEqual(["gate.yml", "nightly.yml", "release.yml", "test.yml"]);
    for (const file of files) {
      const { workflow } = await readWorkflow(file);
      expect(Object.keys(workflow.jobs).length).toBeGreaterThan(0);
    }
  });

  it("test three systems with four versions of Node", async () => {
    const { workflow } = await readWorkflow("test");
    expect(workflow.jobs.test.strategy.matrix).toEqual({
      system: ["ubuntu-latest", "macos-latest", "windows-latest"],
      node: [20, 22, 24, 26],
    });
  });

  it("give whoever runs a pull request's code no token that can write", async () => {
    const { workflow } = await readWorkflow("gate");
    expect(workflow.jobs.gate.permissions ?? workflow.permissions).toEqual({ contents: "read" });
    const writing = workflow.jobs.comment;
    expect(writing.permissions).toEqual({ "pull-requests": "write" });
    expect(writing.steps.filter(({ run }) => run !== undefined)).toEqual([]);
  });
});

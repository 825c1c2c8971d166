import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gateCommentMarker } from "../../packages/bench/dist/gate/index.js";
import { readWorkflow, root } from "../workflows/workflow-files.mjs";

const AsyncFunction = (async () => undefined).constructor;

/** What a real gate wrote for a pull request. */
const summary = await readFile(join(root, "docs/gate-comment.md"), "utf8");

/** A pull request, as far as the step that comments sees it. */
function pullRequest(existing = []) {
  const comments = existing.map((comment, index) => ({ id: index + 1, ...comment }));
  const issues = {
    listComments: "listComments",
    async createComment({ body }) {
      comments.push({ id: comments.length + 1, user: { type: "Bot" }, body });
    },
    async updateComment({ comment_id: id, body }) {
      comments.find((comment) => comment.id === id).body = body;
    },
  };
  const github = {
    rest: { issues },
    async paginate(method, { issue_number: number }) {
      expect([method, number]).toEqual(["listComments", 7]);
      return comments;
    },
  };
  const context = { repo: { owner: "owner", repo: "repo" }, issue: { number: 7 } };
  /** Runs the workflow's own script. */
  const comment = async (text) => {
    const { workflow } = await readWorkflow("gate");
    const [step] = workflow.jobs.comment.steps;
    expect(step.env).toEqual({ SUMMARY: "${{ needs.gate.outputs.summary }}" });
    const run = new AsyncFunction("github", "context", "process", step.with.script);
    await run(github, context, { env: { SUMMARY: text } });
  };
  return { comments, comment };
}

describe("the comment of the gate", () => {
  it("is made once, and replaced by the next gate", async () => {
    const { comments, comment } = pullRequest();
    await comment(summary);
    expect(comments.map(({ body }) => body)).toEqual([summary]);
    const next = `${summary}Another run.\n`;
    await comment(next);
    expect(comments.map(({ body }) => body)).toEqual([next]);
  });

  it("leaves the comments of others alone", async () => {
    const others = [
      { user: { type: "User" }, body: `${gateCommentMarker}\nI quote it.` },
      { user: { type: "Bot" }, body: "Thank you for the pull request." },
      { user: null, body: undefined },
    ];
    const { comments, comment } = pullRequest(others);
    await comment(summary);
    expect(comments).toHaveLength(4);
    expect(comments.slice(0, 3)).toMatchObject(others);
  });

  it("is nothing but what a gate wrote", async () => {
    const { comments, comment } = pullRequest();
    await expect(comment("Look at this!")).rejects.toThrow("no summary of a gate");
    expect(comments).toEqual([]);
  });
});

describe("the workflow of the gate", () => {
  it("keeps what its step writes, and looks for the marker that it writes", async () => {
    const { workflow, text } = await readWorkflow("gate");
    const upload = workflow.jobs.gate.steps.find(({ uses }) => uses?.includes("upload-artifact"));
    const step = await readFile(join(root, "scripts/gate-step.mjs"), "utf8");
    const folder = /const folder = join\(root, (.*)\);/.exec(step)?.[1];
    expect(upload.with.path).toBe(`${JSON.parse(`[${folder}]`).join("/")}/`);
    expect(text).toContain(`const marker = "${gateCommentMarker}";`);
    expect(summary.split("\n")[0]).toBe(gateCommentMarker);
  });
});

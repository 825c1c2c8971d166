import type { LeftOutStack } from "../../record/index.js";
import { aiStacks } from "./ai-stacks.js";
import { eventStacks } from "./event-stacks.js";
import { langchainStack } from "./langchain-stack.js";
import { openaiStacks } from "./openai-stacks.js";
import { plainStacks } from "./plain-stacks.js";
import type { Stack } from "./stack.js";
import { transformersStack } from "./transformers-stack.js";

/** All that are measured, in the order of the table. An even number: they need half as many orders. */
export const allStacks: readonly Stack[] = [
  ...plainStacks,
  ...aiStacks,
  langchainStack,
  transformersStack,
  ...eventStacks,
  ...openaiStacks,
];

/** What people would look for, and what cannot be measured this way. */
export const neverMeasured: readonly LeftOutStack[] = [
  {
    stack: "node-llama-cpp",
    reason: "its streamer takes tokens of a model that it has loaded, never known ones",
  },
];

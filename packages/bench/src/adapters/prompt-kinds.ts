import type { ChatPrompt, ResolvedPrompt } from "@streamgauge/core";

export function isChat(prompt: ResolvedPrompt): prompt is ChatPrompt {
  return typeof prompt === "object" && "messages" in prompt;
}

export function isIds(prompt: ResolvedPrompt): prompt is readonly number[] {
  return typeof prompt === "object" && !("messages" in prompt);
}

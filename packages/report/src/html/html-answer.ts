import type { ResultRecord } from "@streamgauge/bench/record";
import {
  answerSentences,
  answerTable,
  answerTitle,
  summarize,
  type AnswerSentence,
} from "@streamgauge/bench/summary";
import { escapeXml } from "../text/html-text.js";
import { htmlTable } from "./html-table.js";

/** What the terminal says at the end of a run, with all that it has no room for. */
export function answer(record: ResultRecord): string {
  const summary = summarize(record);
  const table = answerTable(summary, "everything");
  const title = answerTitle({ ...summary, streaming: withoutOthers(summary.streaming) });
  return `<section aria-labelledby="answer">
<h2 id="answer">The answer</h2>
<p>${escapeXml(title.join(", ").replace(/[^.]$/, "$&."))}</p>
${table === null ? "" : `${htmlTable(record, table)}\n${words}`}
${sentenceList(answerSentences(summary).filter(({ kind }) => kind !== "tables"))}
</section>`;
}

/** What a reader who comes to the page first does not know. */
const words =
  '<p class="muted">Sync stream: a callback for each token. Async stream: an async iterable. ' +
  "Block: one run of each mode. Cell: one model at one number of tokens. A negative cost, or end of " +
  "an interval: the noise is larger than the cost.</p>";

/** The page has the other cells itself. */
function withoutOthers<S extends { readonly otherCells: number }>(streaming: S | null): S | null {
  return streaming === null ? null : { ...streaming, otherCells: 0 };
}

function sentenceList(sentences: readonly AnswerSentence[]): string {
  if (sentences.length === 0) return "<p>No claim was made about this run.</p>";
  const items = sentences.map(
    ({ kind, label, items: each }) =>
      `<dt class="${classOf(kind)}">${escapeXml(label)}</dt>` +
      each.map((item) => `<dd>${escapeXml(item)}</dd>`).join(""),
  );
  return `<dl class="answer">${items.join("\n")}</dl>`;
}

/** Classes are of the page's style, and never from a record. */
function classOf(kind: AnswerSentence["kind"]): string {
  switch (kind) {
    case "failed":
      return "verdict refuted";
    case "refuted":
    case "inconclusive":
    case "void":
    case "upheld":
      return `verdict ${kind}`;
    default:
      return "muted";
  }
}

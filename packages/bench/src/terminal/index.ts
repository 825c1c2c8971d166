/**
 * The answer of a run as the lines of a terminal.
 *
 * @module
 */
export { answerLines, mostAnswerLines, type AnswerOptions } from "./answer-lines.js";

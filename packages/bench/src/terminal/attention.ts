import { describeLoad, type ResultRecord } from "../record/index.js";

/** What a reader should know before believing the numbers. */
export function attention(record: ResultRecord): string[] {
  const { cells, environment, failedMeasurements = [], transports = [], stacks = [] } = record;
  return [
    ...environment.advice.map((advice) => `Advice: ${advice}.`),
    ...cells
      .filter(({ failure }) => failure !== null)
      .map((cell) => `Failed, ${cell.id}: ${cell.failure?.code} ${cell.failure?.message}`),
    ...failedMeasurements.map(({ id, code, message }) => `Failed, ${id}: ${code} ${message}`),
    ...cells
      .filter(({ warmUp, status }) => status === "complete" && !warmUp.steady)
      .map(({ id, warmUp }) => {
        return `Not steady, ${id}: its times still drift after ${warmUp.blocksDropped} warm-up blocks.`;
      }),
    ...transports
      .filter(({ warmUp }) => !warmUp.steady)
      .map(({ scenario, warmUp, ...load }) => {
        const where = `${scenario}, ${describeLoad(load)}`;
        return `Not steady, ${where}: its times still drift after ${warmUp.blocksDropped} warm-up blocks.`;
      }),
    ...stacks
      .filter(({ warmUp }) => !warmUp.steady)
      .map(({ generator, warmUp }) => {
        return `Not steady, stacks of ${generator}: its times still drift after ${warmUp.blocksDropped} warm-up blocks.`;
      }),
    ...cells
      .filter(({ analysis }) =>
        analysis?.comparisons.some(({ level }) => level === "too few processes"),
      )
      .map(({ id, processes }) => {
        return `Too few processes, ${id}: its ${processes.length} processes differ, so its intervals, over blocks, are too narrow.`;
      }),
  ];
}

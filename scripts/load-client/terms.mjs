/** What is offered, and what the server answers. */
export const terms = {
  perSecond: 200,
  seconds: 10,
  /** Of each client, in turns. */
  blocks: 8,
  firstChunkMilliseconds: 20,
  betweenChunksMilliseconds: 5,
  chunks: 16,
};

/**
 * The largest size that is believed of a file: ids of a vocabulary, ids of a context. The
 * largest known of both are near ten million. What is beyond is a mistake, and memory and
 * time grow with it.
 */
export const largestSize: number = 2 ** 24;

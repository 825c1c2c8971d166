import { Session } from "node:inspector/promises";

/**
 * Starts what V8's inspector can do on the calling thread, in a session of its own, which ends with it.
 *
 * @param stop ends it, and gives what was found
 * @returns what calls `stop`
 * @throws what `start` throws
 */
export async function inspect<Found>(
  start: (session: Session) => Promise<unknown>,
  stop: (session: Session) => Promise<Found>,
): Promise<() => Promise<Found>> {
  const session = new Session();
  session.connect();
  try {
    await start(session);
  } catch (error) {
    session.disconnect();
    throw error;
  }
  return async () => {
    try {
      return await stop(session);
    } finally {
      session.disconnect();
    }
  };
}

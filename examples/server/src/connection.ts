import type { Socket } from "node:net";

/** A request's view of the connection that it came by. */
export interface ConnectionWatch {
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
  /** Looks no longer. */
  release(): void;
}

const watched = new WeakMap<Socket, Set<AbortController>>();

/**
 * Watches the connection, not the response: of several requests that a client sent one
 * behind the other, only the first one's response knows that the client has gone.
 */
export function watchConnection(socket: Socket): ConnectionWatch {
  const gone = new AbortController();
  if (socket.destroyed) gone.abort();
  const requests = watched.get(socket) ?? watchFirst(socket);
  requests.add(gone);
  return { signal: gone.signal, release: () => void requests.delete(gone) };
}

/** One listener serves all requests of a connection, however many they are. */
function watchFirst(socket: Socket): Set<AbortController> {
  const requests = new Set<AbortController>();
  watched.set(socket, requests);
  socket.once("close", () => {
    for (const gone of requests) gone.abort();
  });
  return requests;
}

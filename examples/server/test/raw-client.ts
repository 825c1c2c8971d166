import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection without a client's manners. The server may well reset it. */
export async function openSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => undefined);
  return socket;
}

/** All that comes until the connection ends. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  if (!socket.closed) await once(socket, "close");
  return text;
}

/** A request in the words of HTTP/1.1. The body has this length unless the headers say another. */
export function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}) {
  const all = {
    host: "localhost",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

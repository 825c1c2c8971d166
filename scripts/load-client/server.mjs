// Answers as an OpenAI-compatible server with known latencies: prints its port, ends with its parent.
import { createServer } from "node:http";
import { terms } from "./terms.mjs";

const { firstChunkMilliseconds, betweenChunksMilliseconds, chunks } = terms;

const event = (value) => `data: ${JSON.stringify(value)}\n\n`;
const part = (delta, reason = null) =>
  event({ object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: reason }] });
const usage = event({
  object: "chat.completion.chunk",
  choices: [],
  usage: { prompt_tokens: 8, completion_tokens: chunks },
});

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    // Every chunk is due at a fixed time after the request, so that timers do not add up.
    const beganAt = performance.now();
    let sent = 0;
    const send = () => {
      if (response.destroyed) return;
      sent += 1;
      const isLast = sent === chunks;
      response.write(part({ content: " word" }, isLast ? "stop" : null));
      if (isLast) return response.end(`${usage}data: [DONE]\n\n`);
      const due = beganAt + firstChunkMilliseconds + sent * betweenChunksMilliseconds;
      setTimeout(send, Math.max(0, due - performance.now()));
    };
    setTimeout(send, firstChunkMilliseconds);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume().once("end", () => process.exit(0));

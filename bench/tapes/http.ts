import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Answer = (path: string, body: string, response: ServerResponse) => void;

/** A server on the loopback interface. */
export async function listen(answer: Answer): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    text(request).then(
      (body) => answer(request.url ?? "", body, response),
      () => response.destroy(), // its sender was killed
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, so it has one
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

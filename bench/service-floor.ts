// The floor of the service: bare `node:http` and bare SQLite. A POST is one row, durable before it is answered; a GET is
// held open, as a stream of events is.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openFloor } from "./floor.ts";

const floor = openFloor(process.argv[2] ?? "");
const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 1000\n\n");
    return;
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    floor.commit(JSON.stringify(JSON.parse(body)));
    response.writeHead(200, { "content-type": "application/json" }).end('{"done":true}');
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo; // it listens on a port
  process.stderr.write(`listening on http://127.0.0.1:${port} \n`);
});

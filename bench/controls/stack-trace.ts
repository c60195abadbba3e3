/** Frames under the error, and causes with their own: what a service behind two clients and a proxy gives. */
const [frames, causes] = [40, 3];

/** An error as tools throw them: a short reason on top of some 10,000 characters. */
export function stackTrace(tool: string, reason: string, task: number): Error {
  const error = new Error(`${tool}: ${reason}`);
  const trace = Array.from({ length: causes }, (_, depth) => {
    const lines = Array.from(
      { length: frames },
      (_, frame) =>
        `    at ${layerOf(frame)}.call${depth}_${frame} (/srv/shop/node_modules/${layerOf(frame)}/dist/${depth}.js:${100 + frame * 7}:${3 + (frame % 40)})`,
    );
    return [
      `${depth === 0 ? "Error" : "  [cause]: Error"}: ${tool}: ${reason} (request r${task}-${depth})`,
      ...lines,
    ];
  });
  error.stack = trace.flat().join("\n");
  return error;
}

function layerOf(frame: number): string {
  return ["http-client", "retry-agent", "shop-sdk", "async-pool"][frame % 4] ?? "shop";
}

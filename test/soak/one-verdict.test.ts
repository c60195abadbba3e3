// I6 over processes: one approval that is delivered two hundred times runs its action once and tells everybody the same;
// of an approval and a rejection that race, one wins, and the other side learns who decided and when.
import { expect, it } from "vitest";
import { closeRuntime, type RequestRow, type Runtime, startThread, type Verdict } from "../../src/index.ts";
import { type Child, startChild } from "../kit/process-child.ts";
import { Acknowledged, inspectWorld, nothing, readLedger } from "../kit/process-inspect.ts";
import type { Learned } from "../kit/process-main.ts";
import { progress, seededRandom, soakSeed } from "../kit/process-random.ts";
import { isStopped, until, whyNoStopping } from "../kit/process-wait.ts";
import { openWorld, type WorldOptions } from "../kit/process-world.ts";
import { tempFolder } from "../kit/runtime.ts";

const approve: Verdict = { kind: "approve" };
const reject: Verdict = { kind: "reject", why: "not this one" };

it("200 deliveries of one approval over two processes run the action once, and all learn one verdict", async () => {
  await using world = await openWorldOfRequests(10);
  const [one, other] = world.deliverers;
  for (const { requestId } of world.requests) {
    const learned = (
      await Promise.all(
        [one, other].map((child) => deliver(child, requestId, approve, "dana@example.com", 100)),
      )
    ).flat();
    expect(learned).toHaveLength(200);
    expect(learned.filter((answer) => "first" in answer && answer.first)).toHaveLength(1); // without faults, one caller is the first
    const verdicts = new Set(learned.map((answer) => JSON.stringify({ ...answer, first: undefined })));
    expect([...verdicts].map((text) => JSON.parse(text))).toEqual([
      { verdict: approve, by: "dana@example.com", decidedAt: expect.any(String) },
    ]);
  }
  await world.end({ approved: world.requests });
});

it("a process that dies on its verdict has given it: nobody else is the first", async ({ skip }) => {
  skip(whyNoStopping !== null, whyNoStopping ?? "");
  await using world = await openWorldOfRequests(1, { stopAt: "appended:request_decided" });
  const [one, other] = world.deliverers;
  const [{ requestId = "" } = {}] = world.requests;
  const unheard = deliver(one, requestId, approve, "dana@example.com", 1).catch((error: unknown) => error);
  await until("the verdict is in the log, and nobody was told", () => isStopped(one.pid));
  one.kill("SIGKILL");
  expect(await unheard).toBeInstanceOf(Error);
  const learned = await deliver(other, requestId, approve, "dana@example.com", 100);
  expect(new Set(learned.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(learned[0]).toMatchObject({ first: false, verdict: approve, by: "dana@example.com" });
  await world.end({ approved: world.requests, killed: one });
});

it("of an approval and a rejection that race over two processes, one wins; 50 rounds", async () => {
  const seed = soakSeed();
  const random = seededRandom(seed);
  await using world = await openWorldOfRequests(50);
  const approved: RequestRow[] = [];
  for (const request of world.requests) {
    const sides = [
      { verdict: approve, by: "dana@example.com" },
      { verdict: reject, by: "kim@example.com" },
    ] as const;
    const order = random.percent(50) ? [0, 1] : [1, 0]; // who is told first is ahead by a hair
    const answers: (readonly Learned[])[] = [[], []];
    await Promise.all(
      order.map(async (side) => {
        const { verdict, by } = sides[side as 0 | 1];
        answers[side] = await deliver(world.deliverers[side as 0 | 1], request.requestId, verdict, by, 4);
      }),
    );
    const winner = answers.findIndex((learned) =>
      learned.some((answer) => "first" in answer && answer.first),
    ) as 0 | 1;
    checkRound(answers, winner, sides[winner]);
    if (winner === 0) approved.push(request);
  }
  progress(`one verdict: approval won ${approved.length} of 50 races, seed ${seed}`);
  expect(approved.length).toBeGreaterThan(0);
  expect(approved.length).toBeLessThan(50);
  await world.end({ approved });
});

/** The winning side learns its verdict, first once; the other side is refused, and told who won and when. */
function checkRound(
  answers: readonly (readonly Learned[])[],
  winner: 0 | 1,
  { verdict, by }: { readonly verdict: Verdict; readonly by: string },
): void {
  const won = answers[winner] ?? [];
  const lost = answers[1 - winner] ?? [];
  expect(won.map((answer) => ({ ...answer, first: undefined }))).toEqual(
    Array(4).fill({ verdict, by, decidedAt: expect.any(String), first: undefined }),
  );
  expect(won.filter((answer) => "first" in answer && answer.first)).toHaveLength(1);
  const decidedAt = won.flatMap((answer) => ("decidedAt" in answer ? [answer.decidedAt] : []))[0];
  expect(lost).toEqual(
    Array(4).fill({
      code: "request_already_decided",
      message: expect.stringContaining(`${by} at ${decidedAt}`),
    }),
  );
}

async function deliver(
  child: Child,
  requestId: string,
  verdict: Verdict,
  by: string,
  times: number,
): Promise<readonly Learned[]> {
  return (await child.command({ do: "decide", requestId, verdict, by, times })) as readonly Learned[];
}

interface WorldOfRequests extends AsyncDisposable {
  readonly requests: readonly RequestRow[];
  readonly deliverers: readonly [Child, Child];
  /** Waits for the ends, and checks that exactly the approved actions ran, once. */
  end(expected: { readonly approved: readonly RequestRow[]; readonly killed?: Child }): Promise<void>;
}

/** Threads that wait for an approval each, a worker, and two processes that deliver verdicts and run threads as well. */
async function openWorldOfRequests(
  count: number,
  first: { readonly stopAt?: string } = {},
): Promise<WorldOfRequests> {
  const folder = tempFolder();
  const options: WorldOptions = { folder: folder.path, agent: "clerk", leaseMs: 2_000 };
  const acknowledged = new Acknowledged();
  const runtime = await openWorld(options, {
    observe: (hint) => hint.kind === "appended" && acknowledged.take([hint]),
  });
  for (let number = 0; number < count; number++)
    await startThread(runtime, "clerk", { cents: 500 }, { by: "test" });
  const deliverers = [
    startChild({ ...options, ...first, seed: 1, roles: ["work"] }),
    startChild({ ...options, seed: 2, roles: ["work"] }),
  ] as const;
  for (const child of deliverers) await child.ready();
  await until("all threads ask", async () => (await openRequests(runtime)).length === count);
  const requests = await openRequests(runtime);
  return {
    requests,
    deliverers,
    async end({ approved, killed }) {
      await until(
        "all threads end",
        async () =>
          (await runtime.store.threads({ status: "completed", limit: 1_000 })).rows.length === count,
      );
      for (const child of deliverers) {
        if (child !== killed) child.kill("SIGTERM");
        expect(await child.ended).toEqual(
          child === killed ? { code: null, signal: "SIGKILL" } : { code: 0, signal: null },
        );
        expect(child.reports.filter((report) => report.kind === "problem")).toEqual([]);
        acknowledged.take(child.reports);
      }
      expect(await inspectWorld({ ...options, acknowledged })).toEqual(nothing);
      const ran = readLedger(options.folder)
        .filter((line) => line.phase === "happened")
        .map((line) => line.idempotencyKey);
      expect(ran.sort()).toEqual(
        approved.map((request) => `${request.threadId}/${request.opened.key}`).sort(),
      );
    },
    async [Symbol.asyncDispose]() {
      await closeRuntime(runtime);
      folder.remove();
    },
  };
}

async function openRequests(runtime: Runtime): Promise<readonly RequestRow[]> {
  return (await runtime.store.requests({ status: "open", limit: 1_000 })).rows;
}

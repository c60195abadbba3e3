// I6 over services: two of them on one store, and a thousand verdicts on a hundred requests at once, by many people who do
// not agree. Each request is decided once, each approved action runs once, and everybody learns the one verdict.
import { expect, it } from "vitest";
import type { ThreadEvent } from "../../src/index.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { progress, type Random, seededRandom, soakSeed } from "../kit/process-random.ts";
import { until } from "../kit/process-wait.ts";
import { tempFolder } from "../kit/runtime.ts";
import { call, makeTokens, readPaid, servicePath, startService } from "../kit/service-process.ts";

const requestCount = 100;
const verdictsEach = 10;
const people = Array.from({ length: 10 }, (_, index) => `approver-${index}@example.com`);
const approve = { kind: "approve" } as const;
const reject = { kind: "reject", why: "not this one" } as const;

interface Learned {
  readonly requestId: string;
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer or a refusal, as it came.
  readonly body: any;
}

it("1,000 verdicts at once over two services decide 100 requests once, and run what was approved once", async () => {
  const seed = soakSeed();
  const random = seededRandom(seed);
  const folder = tempFolder();
  const tokens = await makeTokens(folder.path, people);
  const services = [await startService(folder.path), await startService(folder.path)] as const;
  const urlOf = (number: number): string => services[number % 2 === 0 ? 0 : 1].url;
  const store = await openSqliteStore({ path: servicePath(folder.path) });
  try {
    for (let number = 0; number < requestCount; number++) {
      const body = { agent: "payer", input: { number } };
      expect((await call(`${urlOf(number)}/v1/threads`, tokens[0] ?? "", body)).status).toBe(201);
    }
    await until("all threads ask", async () => (await openRequests(store)).length === requestCount);
    const requestIds = await openRequests(store);

    const learned = await Promise.all(
      shuffled(
        requestIds.flatMap((requestId) => Array<string>(verdictsEach).fill(requestId)),
        random,
      ).map(async (requestId, number): Promise<Learned> => {
        const verdict = random.percent(50) ? approve : reject;
        const token = tokens[random.below(tokens.length)] ?? "";
        const url = `${urlOf(number)}/v1/requests/${requestId}/verdict`;
        return { requestId, ...(await call(url, token, { verdict })) };
      }),
    );

    await until("all threads end", async () => {
      const { rows } = await store.threads({ status: "completed", limit: 1_000 });
      return rows.length === requestCount;
    });
    let approved = 0;
    for (const requestId of requestIds) {
      const threadId = (await store.requests({ requestId })).rows[0]?.threadId ?? "";
      const decisions = (await store.read(threadId)).filter((event) => event.type === "request_decided");
      expect(decisions).toHaveLength(1);
      const [decision] = decisions as [Extract<ThreadEvent, { type: "request_decided" }>];
      checkLearned(
        learned.filter((one) => one.requestId === requestId),
        decision,
      );
      const paid = readPaid(folder.path).filter((key) => key.startsWith(`${threadId}/`));
      expect(paid).toHaveLength(decision.verdict.kind === "approve" ? 1 : 0);
      if (decision.verdict.kind === "approve") approved += 1;
    }
    expect(readPaid(folder.path)).toHaveLength(approved);
    expect(approved).toBeGreaterThan(0);
    expect(approved).toBeLessThan(requestCount);
    expect((await store.verify({})).problems).toEqual([]);
    for (const service of services) {
      service.kill("SIGTERM");
      expect(await service.ended).toEqual({ code: 0, signal: null });
    }
    const refused = learned.filter(({ status }) => status === 409).length;
    progress(
      `service verdicts: ${learned.length} on ${requestCount}, ${approved} approved, ${refused} told of another, seed ${seed}`,
    );
  } finally {
    await store.close();
    folder.remove();
  }
});

/** One gave it; those who said the same are told who was first, and the others who won and when. */
function checkLearned(
  learned: readonly Learned[],
  { verdict, by, at }: Extract<ThreadEvent, { type: "request_decided" }>,
): void {
  expect(learned).toHaveLength(verdictsEach);
  expect(learned.filter(({ body }) => body.first === true)).toHaveLength(1);
  for (const { status, body } of learned) {
    if (status === 200) {
      expect(body.request).toMatchObject({ verdict, by, via: "http", decidedAt: at });
    } else {
      expect([status, body.code]).toEqual([409, "request_already_decided"]);
      expect(body.detail).toContain(`${by} at ${at} via http: ${verdict.kind}`);
    }
  }
}

async function openRequests(store: SqliteStore): Promise<readonly string[]> {
  const { rows } = await store.requests({ status: "open", limit: 1_000 });
  return rows.map(({ requestId }) => requestId);
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((one) => [random.fraction(), one] as const)
    .sort(([left], [right]) => left - right)
    .map(([, one]) => one);
}

// A service is killed again and again, with `SIGKILL`, while people are asked by a webhook and by mail, decide over HTTP,
// and what they approved is paid. Receiver and mail server fail at times, and the receiver hangs. At the end no verdict is
// lost or doubled, each payment was made once, whoever is to be asked was, every copy of what is decided was closed, and
// the outbox is empty.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { OutboxDelivery } from "../../src/ports/outbox.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { startReceiver } from "../kit/http-receiver.ts";
import { startMailServer } from "../kit/mail-server.ts";
import { progress, type Random, seededRandom, soakSeed } from "../kit/process-random.ts";
import { until } from "../kit/process-wait.ts";
import { tempFolder } from "../kit/runtime.ts";
import { call, makeTokens, readPaid, servicePath, startService } from "../kit/service-process.ts";

const kills = Number(process.env.HOLDPOINT_SOAK_KILLS ?? 200);
const approvers = ["dana@example.com", "kim@example.com"];
const env = {
  WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  MAIL_SECRET: "a secret of the tests, of more than 32 bytes",
};
const approve = { kind: "approve" } as const;
const reject = { kind: "reject", why: "not this one" } as const;

it(`${kills} SIGKILLs of a service during deliveries lose no verdict and double none, and its outbox empties`, async () => {
  const seed = soakSeed();
  const random = seededRandom(seed);
  const folder = tempFolder();
  const world = await openWorld(folder.path, random);
  const { store } = world;
  try {
    for (let round = 0; round < kills; round++) {
      world.breakSomething();
      const service = await startService(folder.path, env);
      const clients = [world.startThreads(service.url, 3), world.decideSome(service.url)];
      await world.somethingArrives();
      await sleep(random.below(40)); // a moment of the seed's
      service.kill("SIGKILL");
      await Promise.all([...clients, service.ended]);
      letTimePass(folder.path);
      if ((round + 1) % 50 === 0) progress(`service kill: ${round + 1} kills, ${world.arrived()} arrived`);
    }
    world.mendEverything();
    const last = await startService(folder.path, env);
    await world.startThreads(last.url, 0);
    await until("all is decided that is to be", () => world.decideRest(last.url), 120_000);
    await until(
      "threads end, and the outbox is empty",
      async () => {
        letTimePass(folder.path, "failed deliveries");
        return (await world.isQuiet()) && (await isEmpty(store));
      },
      120_000,
    );
    last.kill("SIGTERM");
    expect(await last.ended).toEqual({ code: 0, signal: null });
    progress(`${await world.inspect()}, seed ${seed}`);
  } finally {
    await store.close();
    folder.remove();
  }
}, 1_800_000);

type Verdict = typeof approve | typeof reject | { readonly kind: "continue" };

/** What people and their machines see of it, and what they were told. */
async function openWorld(folder: string, random: Random) {
  let failing = 0;
  const receiver = await startReceiver(() =>
    random.percent(failing) ? (random.percent(70) ? 503 : null) : 200,
  );
  const mailServer = await startMailServer();
  writeConfig(folder, receiver.url, mailServer.port);
  const [token = ""] = await makeTokens(folder, ["dana@example.com"]);
  const store = await openSqliteStore({ path: servicePath(folder) });
  /** Idempotency keys of starts; the thread's id once it was acknowledged. */
  const starts = new Map<string, string | null>();
  /** What is said of each request, whenever it is asked; those that were acknowledged. */
  const said = new Map<string, Verdict>();
  const acknowledged = new Set<string>();

  const arrived = (): number => receiver.received.length + mailServer.mails.length;

  async function startThreads(url: string, count: number): Promise<void> {
    for (let more = 0; more < count; more++) starts.set(`start-${starts.size}`, null);
    const open = [...starts].filter(([, threadId]) => threadId === null);
    await Promise.all(
      open.map(async ([key]) => {
        const body = { agent: "payer", input: { number: Number(key.slice(6)) } };
        const answer = await unlessGone(call(`${url}/v1/threads`, token, body, { "idempotency-key": key }));
        if (answer === null) return;
        expect([200, 201]).toContain(answer.status);
        starts.set(key, answer.body.threadId);
      }),
    );
  }

  async function decide(url: string, request: RequestRow): Promise<void> {
    const { requestId } = request;
    const verdict = said.get(requestId) ?? verdictOn(request, random);
    said.set(requestId, verdict);
    const answer = await unlessGone(call(`${url}/v1/requests/${requestId}/verdict`, token, { verdict }));
    if (answer === null) return;
    expect([answer.status, answer.body.request?.verdict]).toEqual([200, verdict]);
    acknowledged.add(requestId);
  }

  /** About a third of what is open, and again what nobody heard the answer to. */
  async function decideSome(url: string): Promise<void> {
    const unheard = [...said.keys()].filter((requestId) => !acknowledged.has(requestId));
    const rows = await Promise.all(unheard.map((requestId) => store.requests({ requestId })));
    const chosen = (await openRequests(store)).filter(
      (request) => isToBeDecided(request) && !said.has(request.requestId) && random.percent(35),
    );
    await Promise.all(
      [...rows.flatMap((page) => page.rows), ...chosen].map((request) => decide(url, request)),
    );
  }

  async function decideRest(url: string): Promise<boolean> {
    const rest = (await openRequests(store)).filter(isToBeDecided);
    await Promise.all(rest.map((request) => decide(url, request)));
    return rest.length === 0;
  }

  /** Whoever is not yet decided asks, and all others have ended. */
  async function isQuiet(): Promise<boolean> {
    const threads = await allPages((cursor) => store.threads({ limit: 1_000, ...cursor }));
    return threads.every(
      ({ status, openRequests: open, dueAt }) =>
        status === "completed" || (status === "waiting" && open === 1 && dueAt !== null),
    );
  }

  async function somethingArrives(): Promise<void> {
    const enough = arrived() + 1 + random.below(6);
    await until("something is delivered", () => arrived() >= enough, 20_000).catch(() => {}); // all may fail just now
  }

  /** @returns the figures, in words. */
  async function inspect(): Promise<string> {
    const threads = await allPages((cursor) => store.threads({ limit: 1_000, ...cursor }));
    expect([...starts.values()].sort()).toEqual(threads.map(({ threadId }) => threadId).sort());
    const requests = await allPages((cursor) => store.requests({ limit: 1_000, ...cursor }));
    const paid = readPaid(folder);
    for (const request of requests) {
      const { requestId, threadId, opened } = request;
      const events = await store.read(threadId);
      const verdicts = events.flatMap((event) =>
        event.type === "request_decided" && event.requestId === requestId ? [event.verdict] : [],
      );
      const verdict = said.get(requestId);
      expect(verdicts).toEqual(verdict === undefined ? [] : [verdict]); // lost, or doubled, or made up
      const ran = paid.filter((key) => key === `${threadId}/${opened.key}`).length;
      if (opened.kind === "approval") expect(ran).toBe(verdict?.kind === "approve" ? 1 : 0);
    }
    for (const requestId of acknowledged)
      expect(requests.find((row) => row.requestId === requestId)?.status).toBe("decided");
    const deliveries = await allPages((cursor) => store.outbox.deliveries({ limit: 1_000, ...cursor }));
    const ids = new Set([
      ...receiver.received.map(({ headers }) => headers["webhook-id"]),
      ...mailServer.mails.map(({ messageId }) => /^<([^@]+)@/.exec(messageId ?? "")?.[1]),
    ]);
    checkCopies(requests, deliveries, ids);
    expect((await store.verify({})).problems).toEqual([]);
    const decided = requests.filter(({ status }) => status === "decided").length;
    return `service kill: ${kills} kills, ${threads.length} threads, ${requests.length} requests, ${decided} decided, ${acknowledged.size} acknowledged, ${paid.length} paid, ${deliveries.length} deliveries, ${receiver.received.length} posts, ${mailServer.mails.length} mails, ${arrived() - ids.size} twice`;
  }

  return {
    store,
    arrived,
    startThreads,
    decideSome,
    decideRest,
    isQuiet,
    somethingArrives,
    inspect,
    breakSomething() {
      failing = random.percent(30) ? 50 : 8;
      mailServer.refusal = random.percent(15) ? { code: 451, message: "try again later" } : null;
    },
    mendEverything() {
      failing = 0;
      mailServer.refusal = null;
    },
  };
}

function writeConfig(folder: string, url: string, smtpPort: number): void {
  const config = {
    people: approvers.map((id) => ({ id, email: id })),
    channels: [
      { type: "webhook", url, secretVariables: ["WEBHOOK_SECRET"], allowPrivate: true },
      {
        ...{ type: "email", from: "Holdpoint <holdpoint@example.com>", secretVariable: "MAIL_SECRET" },
        publicUrl: "https://holdpoint.example.com",
        smtp: { host: "127.0.0.1", port: smtpPort, secure: false, requireTls: false },
      },
    ],
  };
  writeFileSync(join(folder, "holdpoint.config.json"), JSON.stringify(config));
}

/** Every fifth approval is left open to the end. */
function isToBeDecided({ opened }: RequestRow): boolean {
  if (opened.kind !== "approval" || !opened.action) return true;
  const { number } = opened.action.args as { readonly number: number }; // our own agent's
  return number % 5 !== 0;
}

function verdictOn({ opened }: RequestRow, random: Random): Verdict {
  if (opened.choices.includes("continue")) return { kind: "continue" };
  return random.percent(60) ? approve : reject;
}

/** `null` when the service died before it answered: nobody knows then whether it was done. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)) return null;
    throw error;
  }
}

/** Whoever may be asked was, as long as it is open; of what is closed, each copy that is out there was closed too. */
function checkCopies(
  requests: readonly RequestRow[],
  deliveries: readonly OutboxDelivery[],
  arrivedIds: ReadonlySet<string | undefined>,
): void {
  const copies = Map.groupBy(deliveries, (one) => `${one.requestId} ${one.channel} ${one.recipient}`);
  const places = ["webhook endpoint", ...approvers.map((id) => `email ${id}`)];
  for (const { requestId, status } of requests) {
    for (const place of places) {
      const copy = copies.get(`${requestId} ${place}`) ?? [];
      const has = (kind: string): boolean =>
        copy.some((one) => one.kind === kind && arrivedIds.has(one.deliveryId));
      const what = `${requestId} at ${place}, ${status}: ${JSON.stringify(copy)}`;
      if (status === "open") expect(has("ask"), what).toBe(true);
      else expect(has("close") || !has("ask"), what).toBe(true);
      expect(new Set(copy.map(({ kind }) => kind)).size, what).toBe(copy.length); // what came twice came under one id
    }
  }
  for (const one of deliveries) {
    expect(one.status === "sent" || one.status === "dropped", JSON.stringify(one)).toBe(true);
    if (one.status === "sent") expect(arrivedIds.has(one.deliveryId), JSON.stringify(one)).toBe(true);
  }
  expect(new Set(deliveries.map((one) => one.deliveryId)).size).toBe(deliveries.length);
}

/** What a dead process held is let go, and what failed is due again, as time would have it. */
function letTimePass(folder: string, what: "all" | "failed deliveries" = "all"): void {
  const database = new DatabaseSync(servicePath(folder), { timeout: 10_000 });
  if (what === "all") {
    database.exec("UPDATE deliveries SET next_at = 0 WHERE status = 'pending'");
    database.exec("UPDATE heads SET lease_until = 1, due_at = 1 WHERE lease_owner IS NOT NULL AND ended = 0");
  } else database.exec("UPDATE deliveries SET next_at = 0 WHERE status = 'pending' AND owner IS NULL");
  database.close();
}

async function isEmpty(store: SqliteStore): Promise<boolean> {
  const { rows } = await store.outbox.deliveries({ status: "pending", limit: 1 });
  const unseen = await Promise.all(["webhook", "email"].map((channel) => store.outbox.unseen(channel)));
  return rows.length === 0 && unseen.every((batch) => batch === null);
}

function openRequests(store: SqliteStore): Promise<readonly RequestRow[]> {
  return allPages((cursor) => store.requests({ status: "open", limit: 1_000, ...cursor }));
}

async function allPages<Row>(
  page: (cursor: { readonly cursor?: string }) => Promise<{
    readonly rows: readonly Row[];
    readonly nextCursor: string | null;
  }>,
): Promise<readonly Row[]> {
  const all: Row[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { rows, nextCursor } = await page(cursor === "" ? {} : { cursor });
    all.push(...rows);
    cursor = nextCursor;
  }
  return all;
}

// What one principal may decide, of all that is open: by the rules of a verdict, and with bounded work.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { event } from "../../src/core/events.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import { decidableRequests, mostLookedAt } from "../../src/runtime/decidable.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { type Folder, tempFolder } from "../kit/runtime.ts";

let folder: Folder;
let store: SqliteStore;
beforeEach(async () => {
  folder = tempFolder();
  store = await openSqliteStore({ path: `${folder.path}/holdpoint.db` });
});
afterEach(async () => {
  await store.close();
  folder.remove();
});

const at = "2026-01-01T00:00:00.000Z";
const now = Date.parse(at);
type Opening = Partial<RequestRow["opened"]>;

async function ask(name: string, opening: Opening): Promise<void> {
  const started = event("thread_started", {
    threadId: name,
    agent: "desk",
    agentVersion: "1",
    input: {},
    by: "lee@example.com",
  });
  const opened = event("request_opened", {
    key: "ask:x#1",
    requestId: `r_${name}`,
    kind: "question",
    why: "it asks",
    question: "Which?",
    choices: ["answer"],
    approvers: ["role:lead"],
    requesters: ["lee@example.com"],
    requesterMayDecide: false,
    expiresAt: "2026-02-01T00:00:00.000Z",
    ...opening,
  });
  await store.append({
    threadId: name,
    expectedSeq: 0,
    events: [started, opened].map((body) => ({ body, at })),
  });
}

const own = async (id: string, roles: readonly string[] = []): Promise<readonly string[]> =>
  (await decidableRequests(store, { principal: { id, roles }, now })).rows.map(({ requestId }) => requestId);

describe("what somebody may decide", () => {
  it("is what names them or their role, or nobody; not what they asked for, nor what is over", async () => {
    await ask("byRole", {});
    await ask("byId", { approvers: ["kim@example.com"] });
    await ask("anybody", { approvers: [], requesterMayDecide: true });
    await ask("late", { expiresAt: at });
    await ask("others", { approvers: ["role:cfo"] });
    expect(await own("kim@example.com", ["lead"])).toEqual(["r_byRole", "r_byId", "r_anybody"]);
    expect(await own("kim@example.com")).toEqual(["r_byId", "r_anybody"]);
    expect(await own("lee@example.com", ["lead"])).toEqual(["r_anybody"]); // they asked, in whatever role
    expect(await own(" LEE@example.com", ["lead"])).toEqual(["r_anybody"]);
    expect(await own("agent:desk", ["lead"])).toEqual([]);
  });

  it("is no more what they have approved already, while others have not", async () => {
    await ask("both", { quorum: 2, kind: "approval", choices: ["approve", "reject"] });
    const vote = event("request_voted", {
      requestId: "r_both",
      key: "ask:x#1",
      by: "kim@example.com",
      via: "test",
      verdict: { kind: "approve" },
      deciders: { approvers: ["role:lead"], votes: [{ by: "kim@example.com", via: "test" }] },
    });
    await store.append({ threadId: "both", expectedSeq: 2, events: [{ body: vote, at }] });
    expect(await own("kim@example.com", ["lead"])).toEqual([]);
    expect(await own("dana@example.com", ["lead"])).toEqual(["r_both"]);
  });

  it("is found among 10,000 that are open, each once, with bounded work for each page", async () => {
    const all = Array.from({ length: 10_000 }, (_, index) => index);
    const isKims = (index: number): boolean => index % 997 === 0 || (index > 6_000 && index < 6_200);
    await Promise.all(
      all.map((index) => ask(`t${index}`, { approvers: [isKims(index) ? "kim@example.com" : "role:cfo"] })),
    );
    let read = 0;
    const counted: Pick<SqliteStore, "requests"> = {
      async requests(query) {
        const page = await store.requests(query);
        read += page.rows.length;
        return page;
      },
    };
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      read = 0;
      const query = {
        principal: { id: "kim@example.com", roles: [] },
        now,
        limit: 50,
        ...(cursor && { cursor }),
      };
      const { rows, nextCursor } = await decidableRequests(counted, query);
      expect(read).toBeLessThanOrEqual(mostLookedAt);
      expect(rows.length).toBeLessThanOrEqual(50);
      found.push(...rows.map(({ requestId }) => requestId));
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(found.toSorted()).toEqual(
      all
        .filter(isKims)
        .map((index) => `r_t${index}`)
        .toSorted(),
    );
  });
});

import assert from "node:assert/strict";
import { z } from "zod";
import { type Agent, agent } from "../../core/agent.ts";
import { isHoldpointError } from "../../core/errors.ts";
import type { ThreadEvent, Verdict, VerdictKind } from "../../core/events.ts";
import type { ActionResult } from "../../core/flow.ts";
import { gate } from "../../core/gate.ts";
import type { Json } from "../../core/json.ts";
import type { Person } from "../../core/person.ts";
import { type ToolDefinition, tool } from "../../core/tool.ts";
import { localDispatcher } from "../../dispatch/local.ts";
import { tokenEstimator } from "../../models/token-estimator.ts";
import type { RequestRow, Store } from "../../ports/store.ts";
import { startThread } from "../../runtime/commands.ts";
import { createRuntime, type Runtime } from "../../runtime/runtime.ts";
import { decideRequest } from "../../runtime/verdicts.ts";
import { settleThreads } from "../../runtime/worker.ts";
import { type ManualClock, manualClock } from "../manual-clock.ts";

export interface VerdictAttempt {
  readonly requestId: string;
  readonly verdict: Verdict;
  /** One of the people that `OpenVerdictPath` was given. */
  readonly by: Person;
}

/** What the person is told. */
export interface VerdictAnswer {
  /** `repeated`: the same verdict stood already; a way that cannot tell says `accepted`. */
  readonly kind: "accepted" | "repeated" | "refused";
  readonly why: string;
}

/** A way from people to a runtime. */
export interface VerdictPath {
  /** Verdicts that it can carry; cases give others straight to the runtime. */
  readonly takes: readonly VerdictKind[];
  /** Brings an open request to the people, where that takes doing: sends mails, opens pages. */
  show?(requestId: string): Promise<void>;
  /** Gives a verdict as that person would, of a request that was shown to them or is not there at all. */
  give(attempt: VerdictAttempt): Promise<VerdictAnswer>;
  /** As `give`, with a message that is older than the path accepts. Absent where messages carry no time. */
  giveOld?(attempt: VerdictAttempt): Promise<VerdictAnswer>;
  close(): Promise<void>;
}

export type OpenVerdictPath = (runtime: Runtime, people: readonly Person[]) => Promise<VerdictPath>;

export interface ApprovalParts {
  readonly openStore: () => Promise<Store>;
  readonly openPath: OpenVerdictPath;
}

export interface ApprovalCase {
  readonly name: string;
  run(parts: ApprovalParts): Promise<void>;
}

/** May approve; the second one too. */
export const lead: Person = {
  id: "lead@example.com",
  roles: ["lead"],
  email: "lead@example.com",
  slack: "U0LEAD",
};
export const deputy: Person = {
  id: "deputy@example.com",
  roles: ["lead"],
  email: "deputy@example.com",
  slack: "U0DEPUTY",
};
/** May not. */
export const guest: Person = {
  id: "guest@example.com",
  roles: [],
  email: "guest@example.com",
  slack: "U0GUEST",
};
/** Starts the threads, and would be allowed to approve what others ask for. */
export const requester: Person = {
  id: "asks@example.com",
  roles: ["lead"],
  email: "asks@example.com",
  slack: "U0ASKS",
};
const people = [lead, deputy, guest, requester];

const payInput: z.ZodObject<{ to: z.ZodString; cents: z.ZodNumber }> = z.object({
  to: z.string(),
  cents: z.number().int().positive(),
});
type Payment = z.infer<typeof payInput>;

/** One payment of what the flow is given. */
export interface PlannedCall {
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
}

export function pay(to: string, cents: number): PlannedCall {
  return { callId: `pay ${to} ${cents}`, tool: "pay", args: { to, cents } };
}

/** How the agent is defined at a moment: what code a process has when it starts. */
export interface Code {
  readonly pay?: Partial<ToolDefinition<Payment>>;
  /** What the harmless tool `look` returns. */
  readonly seen?: Json;
}

/** A clerk on a store, and the people around it. */
export interface World {
  readonly clock: ManualClock;
  /** Payments that were really made, in order. */
  readonly paid: readonly Payment[];
  readonly runtime: Runtime;
  readonly path: VerdictPath;
  /** Starts a thread that makes these calls, batch by batch, and runs it until it waits. */
  start(...batches: readonly (readonly PlannedCall[])[]): Promise<string>;
  /** As `start`, under an id of the case's choice. */
  startAs(threadId: string, ...batches: readonly (readonly PlannedCall[])[]): Promise<string>;
  settle(threadId: string): Promise<void>;
  events(threadId: string): Promise<readonly ThreadEvent[]>;
  open(threadId?: string): Promise<readonly RequestRow[]>;
  /** The one open request. */
  one(threadId?: string): Promise<RequestRow>;
  /** By the path where it takes that verdict, else by the runtime itself. */
  give(attempt: VerdictAttempt): Promise<VerdictAnswer>;
  /** Everything in this process is lost, and a new one starts, perhaps with newer code. */
  restart(code?: Code): Promise<void>;
  /** As `restart`, while something still runs in the old process that never comes back. */
  abandon(code?: Code): Promise<void>;
}

/** A rule, and the case that shows it. */
export function rule(
  name: string,
  check: (world: World, parts: ApprovalParts) => Promise<void>,
  code: Code = {},
): ApprovalCase {
  return {
    name,
    async run(parts) {
      const { world, close } = await openWorld(parts, code);
      try {
        await check(world, parts);
      } finally {
        await close();
      }
    },
  };
}

async function openWorld(
  { openStore, openPath }: ApprovalParts,
  code: Code,
): Promise<{ readonly world: World; readonly close: () => Promise<void> }> {
  const clock = manualClock();
  const paid: Payment[] = [];
  let process = await openProcess(code);

  async function openProcess(now: Code) {
    const store = await openStore();
    const runtime = clerkRuntime(store, clock, clerk(now, paid));
    return { runtime, path: await openPath(runtime, people) };
  }

  async function close(): Promise<void> {
    await process.path.close();
    await process.runtime.dispatcher.close();
    await process.runtime.store.close();
  }

  const settle = (threadId: string): Promise<void> =>
    settleThreads(process.runtime, [threadId], { signal: never, patienceMs: 0 });
  const open = async (threadId?: string): Promise<readonly RequestRow[]> => {
    const query = threadId === undefined ? {} : { threadId };
    const { rows } = await process.runtime.store.requests({ status: "open", ...query });
    for (const { requestId } of rows) await process.path.show?.(requestId);
    return rows;
  };

  async function startThen(
    batches: readonly (readonly PlannedCall[])[],
    options: { readonly threadId?: string },
  ): Promise<string> {
    const by = requester.id;
    const { threadId } = await startThread(process.runtime, "clerk", batches, { by, ...options });
    await settle(threadId);
    return threadId;
  }

  const world: World = {
    clock,
    paid,
    get runtime() {
      return process.runtime;
    },
    get path() {
      return process.path;
    },
    start: (...batches) => startThen(batches, {}),
    startAs: (threadId, ...batches) => startThen(batches, { threadId }),
    settle,
    events: (threadId) => process.runtime.store.read(threadId),
    open,
    async one(threadId) {
      const [request, ...others] = await open(threadId);
      assert.ok(
        request && others.length === 0,
        `one request is open, not ${others.length + (request ? 1 : 0)}`,
      );
      return request;
    },
    give: (attempt) =>
      process.path.takes.includes(attempt.verdict.kind)
        ? process.path.give(attempt)
        : giveDirectly(process.runtime, attempt),
    async restart(now = code) {
      await close();
      process = await openProcess(now);
    },
    async abandon(now = code) {
      await process.path.close();
      await process.runtime.store.close();
      process = await openProcess(now);
    },
  };
  return { world, close };
}

const never = new AbortController().signal;

function clerkRuntime(store: Store, clock: ManualClock, ...agents: readonly Agent[]): Runtime {
  return createRuntime({
    store,
    clock,
    agents,
    dispatcher: localDispatcher({ clock }),
    counter: tokenEstimator,
    resolveModel: () => Promise.reject(new Error("the clerk asks no model")),
  });
}

function clerk(code: Code, paid: Payment[]): Agent {
  const tools = [
    tool({
      name: "pay",
      description: "Pays somebody.",
      input: payInput,
      risk: "high",
      effect: "once",
      run: (payment: Payment) => {
        paid.push(payment);
        return { receipt: paid.length };
      },
      ...code.pay,
    }),
    tool({
      name: "look",
      description: "Looks something up.",
      input: z.object({}),
      risk: "low",
      effect: "read",
      run: () => code.seen ?? "nothing",
    }),
  ];
  return agent<readonly (readonly PlannedCall[])[], readonly (readonly ActionResult["status"][])[]>({
    name: "clerk",
    tools,
    gate: gate({ approvers: ["role:lead"], expiresIn: "4h" }),
    async flow(t, batches) {
      const all: ActionResult["status"][][] = [];
      for (const batch of batches) all.push((await t.act(batch)).map(({ status }) => status));
      return all;
    },
  });
}

export async function giveDirectly(runtime: Runtime, attempt: VerdictAttempt): Promise<VerdictAnswer> {
  return (await openDirectPath(runtime, people)).give(attempt);
}

/** Straight to the runtime: what every other path ends in. */
export const openDirectPath: OpenVerdictPath = async (runtime) => ({
  takes: ["approve", "edit", "reject"],
  async give({ requestId, verdict, by }) {
    try {
      const { first } = await decideRequest(runtime, requestId, {
        verdict,
        by: by.id,
        roles: by.roles ?? [],
        via: "direct",
      });
      return { kind: first ? "accepted" : "repeated", why: "" };
    } catch (error) {
      if (!isHoldpointError(error)) throw error;
      return { kind: "refused", why: error.message };
    }
  },
  close: async () => {},
});

export const approve: Verdict = { kind: "approve" };
export const reject: Verdict = { kind: "reject", why: "not this one" };

// A real agent on a real store that asks before it pays, with an outbox, people and channels.
import { afterEach } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import type { Person } from "../../src/core/person.ts";
import type { DeliveryChannel, Notice } from "../../src/ports/channel.ts";
import type { OutboxDelivery, OutboxStore } from "../../src/ports/outbox.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { type ChannelMounts, channelMounts } from "../../src/runtime/mounts.ts";
import { type OutboxOptions, settleOutbox } from "../../src/runtime/outbox.ts";
import type { Hint } from "../../src/runtime/runtime.ts";
import type { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, turns } from "./runtime.ts";

export const dana: Person = {
  id: "dana@example.com",
  name: "Dana",
  roles: ["support-lead"],
  email: "dana@example.com",
  slack: "U0DANA",
};
export const kim: Person = { id: "kim@example.com", name: "Kim", email: "kim@example.com", slack: "U0KIM" };
const people: readonly Person[] = [dana, kim];

export interface ChannelWorld extends TestRuntime {
  readonly outbox: OutboxStore;
  readonly mounts: ChannelMounts;
  readonly problems: unknown[];
  readonly tool: ReturnType<typeof payTool>;
  /** Starts a thread that wants to pay, runs it until it asks, and gives the request. */
  ask(args?: unknown): Promise<RequestRow>;
  /** Sends what is due now. @returns how many deliveries were tried. */
  send(): Promise<number>;
  deliveries(query?: Parameters<OutboxStore["deliveries"]>[0]): Promise<readonly OutboxDelivery[]>;
  request(requestId: string): Promise<RequestRow>;
  /** A click: hands a request to a channel's mount. */
  click(channel: string, request: Request): Promise<Response>;
}

export interface ChannelWorldOptions {
  readonly channels: readonly DeliveryChannel[];
  readonly people?: readonly Person[];
  readonly gate?: GatePolicy;
  readonly maxAgeMs?: number;
}

export function channelWorldOfEachTest(): (options: ChannelWorldOptions) => Promise<ChannelWorld> {
  const openRuntime = runtimesOfEachTest();
  let open: ChannelMounts[] = [];
  afterEach(async () => {
    for (const mounts of open) await mounts.close();
    open = [];
  });
  return async ({ channels, gate: policy = {}, ...options }) => {
    const tool = payTool({ risk: "high", effect: "once" });
    const problems: unknown[] = [];
    const asks: unknown[] = [];
    const model = turns(
      ...Array.from({ length: 500 }, () => () => {
        const args = asks.shift();
        return args === undefined ? { text: "done" } : calls(["pay", args]);
      }),
    );
    const opened = await openRuntime({
      agents: [agent({ name: "a", prompt: "Work.", model, tools: [tool], gate: gate(policy) })],
      observe: (hint: Hint) => hint.kind === "problem" && problems.push(hint.error),
    });
    const { runtime } = opened;
    const { outbox } = runtime.store as SqliteStore; // as `openEmbedded` opens it
    const directory = { people, ...options };
    const sending: OutboxOptions = { outbox, channels, ...directory };
    const mounts = channelMounts(runtime, { channels, people: directory.people });
    open.push(mounts);
    return {
      ...opened,
      outbox,
      mounts,
      problems,
      tool,
      async ask(args = { cents: 4_200 }) {
        asks.push(args);
        const { threadId } = await startThread(runtime, "a", "pay", { by: "test" });
        await opened.settle(threadId);
        const { rows } = await runtime.store.requests({ threadId });
        return rows.at(-1) as RequestRow; // it has just asked
      },
      send: () => settleOutbox(runtime, sending, new AbortController().signal),
      deliveries: async (query = {}) => (await outbox.deliveries(query)).rows,
      request: async (requestId) => (await runtime.store.requests({ requestId })).rows[0] as RequestRow,
      click(channel, request) {
        const mount = mounts.mounts.get(`/channels/${channel}`);
        if (!mount) throw new Error(`channel ${channel} has no mount`);
        return mount(request, { signal: new AbortController().signal, remote: null });
      },
    };
  };
}

/** A channel that keeps what it is given; `answer` says what becomes of a notice. */
export function noteChannel(
  answer: (notice: Notice, signal: AbortSignal) => unknown = () => null,
  name = "notes",
): DeliveryChannel & { readonly notices: Notice[]; kinds(): readonly string[] } {
  const notices: Notice[] = [];
  return {
    name,
    notices,
    kinds: () => notices.map(({ kind, recipient }) => `${kind} ${recipient}`),
    recipients: (_request, approvers) => approvers.map(({ id }) => id),
    async deliver(notice, { signal }) {
      notices.push(notice);
      return ((await answer(notice, signal)) ?? null) as null; // tests return JSON
    },
  };
}

import { HoldpointError } from "../core/errors.ts";
import type { Person } from "../core/person.ts";
import type { DeliveryChannel, Desk } from "../ports/channel.ts";
import type { Mount } from "../ports/mount.ts";
import { assertNames } from "./outbox.ts";
import type { Runtime } from "./runtime.ts";
import { decideRequest } from "./verdicts.ts";

export interface ChannelMounts {
  /** By path, `/channels/<name>`: what answers below it. */
  readonly mounts: ReadonlyMap<string, Mount>;
  /** Under which the channels tell people that the service is reached: for `allowedHosts` of `createServer`. */
  readonly hosts: readonly string[];
  /** Waits for answers that are still on their way to people who clicked. */
  close(): Promise<void>;
}

/** Where people's clicks arrive, for the HTTP service. @throws `usage` for a channel's `publicUrl` that is none. */
export function channelMounts(
  runtime: Runtime,
  options: { readonly channels: readonly DeliveryChannel[]; readonly people: readonly Person[] },
): ChannelMounts {
  assertNames(options.channels);
  const under = new Set<Promise<unknown>>();
  const mounts = options.channels.flatMap((channel) => {
    const desk = deskFor(runtime, channel.name, options.people, under);
    const mount = channel.mount?.(desk);
    return mount ? [[`/channels/${channel.name}`, mount] as const] : [];
  });
  return {
    mounts: new Map(mounts),
    hosts: options.channels.flatMap(hostOf),
    async close() {
      while (under.size > 0) await Promise.allSettled(under);
    },
  };
}

function hostOf({ name, publicUrl }: DeliveryChannel): readonly string[] {
  if (publicUrl === undefined) return [];
  const url = URL.parse(publicUrl);
  if (url) return [url.hostname];
  throw new HoldpointError("usage", `the publicUrl of channel ${name} is no URL`, {
    fix: "Write it as https://approve.example.com.",
  });
}

function deskFor(
  runtime: Runtime,
  via: string,
  people: readonly Person[],
  under: Set<Promise<unknown>>,
): Desk {
  return {
    people,
    now: () => runtime.clock.now(),
    find: async (requestId) => (await runtime.store.requests({ requestId })).rows[0] ?? null,
    async decide(requestId, verdict, person, signal) {
      const { id: by, roles = [] } = person;
      const decided = await decideRequest(runtime, requestId, {
        verdict,
        by,
        roles,
        via,
        ...(signal && { signal }),
      });
      return decided.request;
    },
    later(work) {
      const observed = work
        .catch((error: unknown) => runtime.observe({ kind: "problem", threadId: "", error }))
        .finally(() => under.delete(observed));
      under.add(observed);
    },
  };
}

import { type Person, rolesOf } from "../core/person.ts";
import type { EventFeed } from "../ports/event-feed.ts";
import type { TokenRow, TokenStore } from "../ports/token-store.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { HostRules } from "./guard.ts";
import type { Live } from "./live.ts";
import type { Metrics } from "./metrics.ts";
import type { BodyLimits } from "./read-body.ts";
import type { StreamShares } from "./stream-shares.ts";

/** What the routes of one service share. */
export interface Service {
  readonly runtime: Runtime;
  readonly tokens: TokenStore;
  readonly feed: EventFeed;
  readonly people: readonly Person[];
  readonly bodyLimits: BodyLimits;
  readonly hosts: HostRules;
  readonly live: Live;
  readonly metrics: Metrics;
  /** Streams at a time; more are told to come back. */
  readonly maxStreams: number;
  /** Of those, a token's. */
  readonly streamShares: StreamShares;
  readonly isMetricsOpen: boolean;
  readonly version: string;
  readonly isStopping: () => boolean;
}

/** Whom a token stands for, with all roles: the token's own, and those that the directory of people gives. */
export function principalOf(
  { people }: Service,
  { principal, roles }: TokenRow,
): { readonly by: string; readonly roles: readonly string[] } {
  return { by: principal, roles: [...new Set([...roles, ...rolesOf(principal, people)])] };
}

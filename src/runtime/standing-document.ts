import type { StandingGrant } from "../core/standing.ts";
import type { StandingReport } from "./standing.ts";

/** A standing approval as `--json` and the HTTP service show it: what is allowed, by whom, and what became of it. */
export interface StandingDocument extends StandingGrant {
  readonly standingId: string;
  readonly status: StandingReport["status"];
  /** The principal who granted it. */
  readonly by: string;
  readonly grantedAt: string;
  /** Each action that started by it. */
  readonly used: readonly {
    readonly threadId: string;
    readonly key: string;
    readonly requestId: string;
    readonly digest: string;
    readonly at: string;
  }[];
  readonly revoked?: { readonly by: string; readonly why: string; readonly at: string };
}

export function standingDocument(report: StandingReport): StandingDocument {
  const { standingId, status, grant, by, grantedAt, uses, revoked } = report;
  const used = uses.map(({ usedBy, requestId, digest, at }) => ({ ...usedBy, requestId, digest, at }));
  const ended = revoked && { by: revoked.by, why: revoked.why, at: revoked.at };
  return { standingId, status, ...grant, by, grantedAt, used, ...(ended && { revoked: ended }) };
}

/**
 * What answers requests below one path of the HTTP service, which hands them on unread: the raw body matters for
 * signatures. A mount authenticates for itself; the service has capped the body.
 */
export type Mount = (
  request: Request,
  context: {
    /** Aborts when the client is gone or the service stops. */
    readonly signal: AbortSignal;
    /** The client's address, `null` when it is not known. */
    readonly remote: string | null;
  },
) => Promise<Response>;

/** What a mount is told besides the request. */
export interface MountContext {
  /** Aborts when the client is gone or the service stops. */
  readonly signal: AbortSignal;
  /** The address that the request came from, as far as it is known. */
  readonly remote: string | null;
}

/**
 * A part of the service with addresses of its own: `/hooks/<name>` or `/channels/<name>/…`. It gets the request unread,
 * since a signature is for the bytes of the body, and authenticates for itself. What leaks through: the service has
 * checked the host and caps the body at 1 MiB; nothing else is known of the sender.
 */
export type Mount = (request: Request, context: MountContext) => Promise<Response>;

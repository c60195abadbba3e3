// Who holds a link from a mail may decide as the person it was sent to, so the link is signed over that person, over
// exactly what was asked, and over its end. The form behind it is signed again: a link alone, opened or posted, decides
// nothing.
import { createHmac, timingSafeEqual } from "node:crypto";
import { HoldpointError } from "../../core/errors.ts";

/** What a link or a form is for. */
export interface DecideGrant {
  readonly requestId: string;
  readonly personId: string;
  /** `shownDigest` of the request. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface DecideSigner {
  sign(purpose: "link" | "form", grant: DecideGrant): string;
  /** In constant time. */
  isSigned(purpose: "link" | "form", grant: DecideGrant, signature: string): boolean;
}

const minSecretBytes = 32;

/** @throws `usage` for a secret of fewer than 32 bytes. */
export function decideSigner(secret: string, channel: string): DecideSigner {
  if (Buffer.byteLength(secret) < minSecretBytes)
    throw new HoldpointError("usage", "the secret for links in mails needs at least 32 bytes", {
      fix: "Make one: node -p \"require('crypto').randomBytes(32).toString('base64')\"",
    });
  const digestOf = (purpose: string, { requestId, personId, digest, expiresAt }: DecideGrant): Buffer =>
    createHmac("sha256", secret)
      .update(
        JSON.stringify(["holdpoint decide 1", purpose, channel, requestId, personId, digest, expiresAt]),
      )
      .digest();
  return {
    sign: (purpose, grant) => digestOf(purpose, grant).toString("base64url"),
    isSigned(purpose, grant, signature) {
      const expected = digestOf(purpose, grant);
      const given = Buffer.from(signature, "base64url");
      // the text too: two encodings of one signature must not both be good
      return (
        given.length === expected.length &&
        timingSafeEqual(given, expected) &&
        expected.toString("base64url") === signature
      );
    },
  };
}

// Signatures that vendors document, from `../shared/data/webhook-vectors`.
import { existsSync, readFileSync } from "node:fs";

const file = new URL("../../../shared/data/webhook-vectors/vectors.json", import.meta.url);

/** Names of tests that need the vectors end with this where they are absent. */
export const whyNoVectors: string = existsSync(file)
  ? ""
  : " (skipped: ../shared/data/webhook-vectors is not here)";

interface Vectors {
  readonly slack: {
    readonly secret: string;
    readonly timestamp: string;
    readonly body: string;
    readonly signature: string;
  };
  readonly "standard-webhooks": {
    readonly secret: string;
    readonly id: string;
    readonly timestamp: string;
    readonly body: string;
    readonly signature: string;
  };
}

export function webhookVectors(): Vectors {
  return JSON.parse(readFileSync(file, "utf8")) as Vectors;
}

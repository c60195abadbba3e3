import { seededRandom } from "../../src/testing/seeded-random.ts";
import type { Task } from "./tasks.ts";

/** About so many tokens has one scan, as the estimator counts. */
const scanTokens = 45;

/** A log of the drawn length, in which one scan says what is asked for. */
export function parcelLog(orderId: string, { number, parcelTokens, depot }: Task): unknown {
  const length = Math.max(2, Math.round(parcelTokens / scanTokens));
  const random = seededRandom(`parcel log ${number}`);
  const told = random.between(0, length - 1);
  const scans = Array.from({ length }, (_, index) => ({
    at: new Date(Date.UTC(2026, 10, 1) + index * 97_000).toISOString(),
    device: `SC-${(number * 7 + index * 13) % 9_973}`,
    what:
      index === told
        ? `handed over at depot ${depot}`
        : `scanned on belt ${1 + (index % 40)}, weight ${900 + ((index * 31) % 500)} g`,
  }));
  return { orderId, scans };
}

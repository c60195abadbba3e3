import { openLedger } from "./bench-tools.ts";
import { startChild } from "./child.ts";
import type { Outcome } from "./peer.ts";
import type { PeerRow } from "./peers.ts";

const deliveries = 20;

export const approvalsRow: PeerRow = {
  name: `One approval, delivered ${deliveries} times at once`,
  how: `A paused run is approved ${deliveries} times concurrently: first by one process, then by two (half each). How often the approved action ran; once is right. Actions are counted in an fsynced ledger.`,
  isTimed: false,
  reading:
    "A button pressed twice, a webhook delivered again, two replicas. More than one means that the application must claim the approval itself before it hands it on. For peers without a store that claim is by design the application's.",
  async measure(peer, _facts, folder) {
    const [one, two] = [await deliver(peer, folder, 1), await deliver(peer, folder, 2)];
    return {
      text: `ran ${show(one)} by one process, ${show(two)} by two`,
      data: { one, two },
      score: Math.max(offOnce(one.ran), offOnce(two.ran)),
    };
  },
};

const show = ({ ran, ended }: { readonly ran: number; readonly ended: number }) =>
  `${ran}× (${ended} of ${deliveries} callers told that it ended)`;

/** How far from once: not at all is as wrong as twice. */
const offOnce = (ran: number): number => Math.abs(ran - 1);

async function deliver(peer: string, folder: string, processes: number) {
  const runId = `approved-${processes}`;
  const paused = await startChild<Outcome>(peer, "pause", { folder, steps: 2, runId }).result;
  if (paused.kind !== "paused") throw new Error(`does not pause: ${JSON.stringify(paused)}`);
  const children = Array.from({ length: processes }, () =>
    startChild<readonly Outcome[]>(peer, "approve", { folder, runId, deliveries: deliveries / processes }),
  );
  await Promise.all(children.map((child) => child.started));
  for (const child of children) child.process.send("go");
  const outcomes = (await Promise.all(children.map((child) => child.result))).flat();
  const ran = openLedger(folder)
    .entries()
    .filter((entry) => entry === runId).length;
  const errors = [...new Set(outcomes.flatMap((one) => (one.kind === "failed" ? [one.error] : [])))];
  return { ran, ended: outcomes.filter(({ kind }) => kind === "ended").length, errors };
}

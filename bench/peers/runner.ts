// One peer in a process of its own, doing one role of the work: started by child.ts, which talks to it by messages.
import { holdpoint } from "./holdpoint.ts";
import type { Peer } from "./peer.ts";
import { roles } from "./roles.ts";

const [name = "", role = "", given = "{}"] = process.argv.slice(2);
const peer = await load(name);
const work = roles[role];
if (!work) throw new Error(`there is no role ${role}`);
const value = await work(peer, JSON.parse(given));
process.send?.({ kind: "result", value }, () => process.exit(0)); // what a peer leaves running is not waited for

async function load(peerName: string): Promise<Peer> {
  if (peerName === "holdpoint-unverified") return holdpoint({ title: "Holdpoint", verifies: false });
  const own = peerName === "holdpoint" || peerName === "bare";
  const module = (await import(own ? `./${peerName}.ts` : `./third-party/${peerName}.ts`)) as {
    readonly peer: Peer;
  }; // each of these files exports its peer
  return module.peer;
}

// One peer in a process of its own, doing one role of the work: started by child.ts, which talks to it by messages.
import { peer as bare } from "./bare.ts";
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
  if (peerName === "bare") return bare;
  if (peerName.startsWith("holdpoint"))
    return holdpoint({ title: "Holdpoint", verifies: peerName === "holdpoint" });
  const module = (await import(`./third-party/${peerName}.ts`)) as { readonly peer: Peer }; // each exports its peer
  return module.peer;
}

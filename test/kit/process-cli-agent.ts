// The clerk as the command line finds it, with payments that take a moment.
import { setTimeout as sleep } from "node:timers/promises";
import { agentWithPlaces } from "./process-places.ts";
import { agentOf, ledgerPath } from "./process-world.ts";

const folder = process.env.HOLDPOINT_TEST_FOLDER ?? "";

export default agentWithPlaces(agentOf({ folder, agent: "clerk" }), {
  at: (place) => (place.startsWith("effect:") ? sleep(150) : undefined),
  ledgerPath: ledgerPath(folder),
  withoutVerify: true,
});

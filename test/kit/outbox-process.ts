// A process that sends what an outbox holds to a webhook, until it is killed. Arguments: the store's file, the address.
import { openEmbedded, startOutbox, webhookChannel } from "../../src/index.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";

const [path = "", url = "", secrets = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path });
const runtime = await openEmbedded({ path, store, agents: [] });
startOutbox(runtime, {
  outbox: store.outbox,
  channels: [webhookChannel({ url, secrets, allowPrivate: true })],
  people: [],
});
process.stdout.write("ready\n");

// "holdpoint/server": the HTTP service for programs of one's own. `holdpoint serve` is made of the same parts.
export type { Person } from "../core/person.ts";
export type { Mount, MountContext } from "../ports/mount.ts";
export type { AccessEntry, LogAccess } from "./access-log.ts";
export { createServer, type FetchInfo, type HttpServer, type ServerOptions } from "./app.ts";
export { defaultPort, type Listening, type ListenOptions, listen } from "./listen.ts";
export type { RateLimit } from "./rate-limit.ts";
export { createToken, type NewToken } from "./tokens.ts";

/** What is wrong with a connection, for whoever has to mend it. */
export interface ConnectionProblem {
  /** Completes "… cannot be reached: …", with the code. */
  readonly why: string;
  readonly fix: string;
}

const rows: readonly (readonly [code: RegExp, why: string, fix: string])[] = [
  [/^ECONNREFUSED$/, "nobody listens there", "Check host and port, and that the other side runs."],
  [
    /^(?:ENOTFOUND|EAI_AGAIN|EDNS)$/,
    "its name is not found",
    "Correct the host's name, or mend the name server.",
  ],
  [/^(?:EHOSTUNREACH|ENETUNREACH)$/, "there is no way to it", "Check network, firewall and proxy."],
  [
    /^(?:ECONNRESET|EPIPE)$/,
    "it ended the connection",
    "Check that the port is the right one, and what its log says.",
  ],
  [
    /^(?:EPROTO|ERR_SSL_.*|ETLS)$/,
    "it does not speak TLS as it should",
    "Check the port, and whether TLS is on at the other side.",
  ],
  [
    /^(?:CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*|ERR_TLS_CERT_.*|HOSTNAME_MISMATCH)$/,
    "its TLS certificate is not trusted",
    "Renew it, use the host's name that it is for, or name its authority in NODE_EXTRA_CA_CERTS.",
  ],
  [
    /^(?:ETIMEDOUT|UND_ERR_.*TIMEOUT)$/,
    "no answer in time",
    "Check host, port and firewall; or it is overloaded.",
  ],
];

/** Of a code of Node or its libraries. `undefined` for one that says nothing of the connection. */
export function connectionProblem(code: unknown): ConnectionProblem | undefined {
  if (typeof code !== "string") return undefined;
  const row = rows.find(([pattern]) => pattern.test(code));
  return row && { why: `${row[1]} (${code})`, fix: row[2] };
}

/** Of no answer within a limit of ours. */
export function timeoutProblem(timeoutMs: number): ConnectionProblem {
  const { fix } = connectionProblem("ETIMEDOUT") ?? { fix: "" };
  return { why: `no answer within ${timeoutMs} ms`, fix };
}

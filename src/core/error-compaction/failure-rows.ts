// What errors say, as a table: the first row that a line matches names the kind. A row's cause starts where its pattern
// does, so a pattern starts with `.*` where what comes before belongs to the cause.
import type { ErrorKind } from "./error-kind.ts";

interface FailureRow {
  readonly kind: ErrorKind;
  readonly pattern: RegExp;
  /** The same without each `.*` in front: it says in one pass that a line is none, where `.*` would start at each place. */
  readonly needle: RegExp;
}

const row = (kind: ErrorKind, pattern: RegExp): FailureRow => ({
  kind,
  pattern,
  needle: new RegExp(pattern.source.replace(/(^|\|)\.\*/g, "$1"), pattern.flags),
});

/** PostgreSQL, MySQL, SQLite, SQL Server, Oracle, MongoDB, Redis, and what mappers make of them. */
const database: readonly FailureRow[] = [
  row(
    "unique_violation",
    /duplicate key value violates unique|Duplicate entry '|UNIQUE constraint failed|Violation of (?:PRIMARY|UNIQUE) KEY|Cannot insert duplicate key|ORA-00001|E11000 duplicate key|Unique constraint failed on/,
  ),
  row(
    "foreign_key_violation",
    /(?:insert or update|update or delete) on table .{1,200} violates foreign key|Cannot (?:add or update a child|delete or update a parent) row|FOREIGN KEY constraint failed|The \w+ statement conflicted with the (?:FOREIGN KEY|REFERENCE)|ORA-0229[12]|Foreign key constraint (?:failed|violated)/,
  ),
  row(
    "not_null_violation",
    /null value in column "|Column '[^']{1,200}' cannot be null|NOT NULL constraint failed|Cannot insert the value NULL into|ORA-0140[07]|Field '[^']{1,100}' doesn't have a default/,
  ),
  row(
    "check_violation",
    /new row for relation .{1,200} violates check|CHECK constraint failed|Check constraint '|ORA-02290|The \w+ statement conflicted with the CHECK|Document failed validation/,
  ),
  row(
    "missing_relation",
    /relation "[^"]{1,200}" does not exist|Table '[^']{1,200}' doesn't exist|no such table|Invalid object name|ORA-00942|The table `[^`]{1,200}` does not exist|Base table or view not found|ns not found/,
  ),
  row(
    "missing_column",
    /column "?[\w."]{1,200}"? (?:of relation "[^"]{1,200}" )?does not exist|Unknown column '|no such column|Invalid column name|ORA-00904|has no column named/,
  ),
  row(
    "missing_database",
    /database "[^"]{1,200}" does not exist|Unknown database|Cannot open database "|ORA-12514/,
  ),
  row(
    "sql_syntax",
    /syntax error at or near|You have an error in your SQL syntax|near "[^"]{0,200}": syntax error|Incorrect syntax near|ORA-009(?:0[05-9]|1\d|2\d|3[0-36]|7\d)/,
  ),
  row(
    "bad_value",
    /invalid input (?:syntax|value) for|value too long for type|Data too long for column|Out of range value|Incorrect (?:datetime|integer|string) value|String or binary data would be truncated|Conversion failed when|ORA-01722|ORA-12899|ORA-01438|(?:integer|numeric field) o(?:ut of range|verflow)|WRONGTYPE /,
  ),
  row(
    "deadlock",
    /deadlock detected|Deadlock found when|was deadlocked on|ORA-00060|could not serialize access|WriteConflict|database is locked|database table is locked|ORA-08177/,
  ),
  row(
    "lock_timeout",
    /canceling statement due to|Lock wait timeout exceeded|ORA-00054|Execution Timeout Expired|Lock request time out|MaxTimeMSExpired|operation exceeded time limit/,
  ),
  row(
    "database_auth",
    /password authentication failed|Access denied for user|Login failed for user|ORA-01017|ORA-28000|WRONGPASS |NOAUTH |no pg_hba\.conf entry|role "[^"]{1,200}" does not exist|MongoServerError: Authentication failed/,
  ),
  row(
    "database_permission",
    /permission denied for (?:table|relation|schema|sequence|function|view|database)|must be owner of|command denied to user|permission was denied on the object|ORA-01031|not authorized on \w+ to execute|NOPERM /,
  ),
  row(
    "too_many_connections",
    /sorry, too many clients|Too many connections|remaining connection slots|QueuePool limit|timeout exceeded when trying to connect|Connection is not available, request timed out|max number of clients reached|Timed out fetching a new connection from the connection pool|connection pool (?:is )?exhausted|ORA-00020|The timeout period elapsed prior to obtaining a connection/,
  ),
  row(
    "read_only",
    /cannot execute \w+ in a read-only transaction|attempt to write a readonly database|READONLY You can't write|not primary|NotWritablePrimary|--read-only option/,
  ),
  row("out_of_memory", /OOM command not allowed|out of shared memory|ORA-04031|ORA-04030/),
  row(
    "database",
    /current transaction is aborted|database disk image is malformed|CLUSTERDOWN |MOVED \d+ |LOADING Redis|MISCONF Redis|CROSSSLOT |Cursor(?:NotFound| id \d+ not found)|server closed the connection unexpectedly|MySQL server has gone away|Lost connection to MySQL|ORA-03113|terminating connection due to/,
  ),
];

const network: readonly FailureRow[] = [
  row(
    "connection_refused",
    /(?:connect |dial tcp \S{1,200}: connect: )?(?:ECONNREFUSED|connection refused).*|.*\bConnection refused|Failed to connect to \S{1,200} port|.*actively refused|Cannot connect to the Docker daemon|The connection to the server \S{1,200} was refused/i,
  ),
  row(
    "dns",
    /getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|.*(?:Name or service not known|Temporary failure in name resolution|nodename nor servname|no such host|No such host is known|failed to lookup address|NXDOMAIN|getaddrinfo failed|Name does not resolve)|Could not resolve host|UnknownHostException: \S{1,200}|could not translate host name/i,
  ),
  row(
    "tls",
    /(?:self[- ]signed certificate|certificate has expired|unable to (?:get local issuer|verify the first) certificate|\[?SSL: \w{1,60}\]?|CERTIFICATE_VERIFY_FAILED|x509: |PKIX path|SSL certificate problem|Hostname\/IP does not match|certificate verify failed|The remote certificate is invalid|.{0,200}handshake[_ ]failure|.{0,200}wrong version number|no alternative certificate subject name|The SSL connection could not be established, see inner exception\. .{20})/i,
  ),
  row(
    "unreachable",
    /(?:connect )?(?:EHOSTUNREACH|ENETUNREACH).*|.*(?:No route to host|Network is unreachable)/i,
  ),
  row("address_in_use", /.*\b(?:EADDRINUSE|address already in use|port is already allocated)/i),
];

/** Asked only where no HTTP status was found: an answer of "permission denied" is not about files. */
const shell: readonly FailureRow[] = [
  row(
    "out_of_memory",
    /.*(?:OOMKilled|heap out of memory|OutOfMemoryError|\bMemoryError\b|Cannot allocate memory|CUDA out of memory|Out of memory: Killed)|.*exit(?:ed)?(?: with)?(?: exit)? (?:code|status):? 137\b|exitCode: 137|Allowed memory size of \d+ bytes exhausted/i,
  ),
  row(
    "disk_full",
    /.*(?:No space left on device|\bENOSPC\b|Disk quota exceeded|not enough space on the disk)/i,
  ),
  row(
    "remote_auth",
    /.*Permission denied \((?:publickey|password|keyboard)|.*Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|.*fatal: Authentication failed|.*could not read Username|pull access denied|.*Support for password authentication was removed|.*denied: requested access/i,
  ),
  row(
    "kubernetes",
    /0\/\d+ nodes are available.*|.*ImagePullBackOff|.*ErrImagePull|.*CrashLoopBackOff|.*(?:Liveness|Readiness|Startup) probe failed.*|.*exceeded quota:|.*CreateContainerConfigError.*|Back-off restarting failed container/,
  ),
  row("image_missing", /manifest for \S{1,300} not found|.*manifest unknown|Unable to find image/i),
  row(
    "dependency_conflict",
    /.*ERESOLVE|.*Could not find a version that satisfies|No matching (?:distribution|version) found|.*peer dep(?:endency)? /i,
  ),
  row(
    "git",
    /CONFLICT \(|Automatic merge failed|.*! \[(?:remote )?rejected\].*|.*not a git repository|error: pathspec|.*local changes to the following files would be overwritten|.*refusing to merge unrelated|fatal: couldn't find remote ref|.*Unable to create '.{1,300}\.lock'/i,
  ),
  row(
    "command_not_found",
    /.*(?:command not found|executable file not found in \$?PATH|is not recognized as an internal)|spawn \S{1,200} ENOENT|\S{0,40}sh: (?:line )?\d+: \S{1,200}: not found|.*unknown command "/i,
  ),
  row(
    "missing_module",
    /Cannot find (?:module|package) '|No module named |cannot load such file -- |.*(?:ClassNotFoundException|NoClassDefFoundError): |no required module provides package|Class "[^"]{1,200}" not found|Could not load file or assembly/,
  ),
  row(
    "bad_archive",
    /.*not in gzip format|.*This does not look like a tar archive|.*Unexpected EOF in archive|.*End-of-central-directory signature not found/i,
  ),
  row(
    "permission_denied",
    /.*(?:\bEACCES\b|\bEPERM\b|Permission denied|Operation not permitted|Access to the path .{1,300} is denied|Access is denied)/i,
  ),
  row(
    "no_such_file",
    /.*(?:\bENOENT\b|No such file or directory|cannot find the (?:file|path) specified|Could not find file|Failed to open stream|kind: NotFound)/i,
  ),
  row("file_exists", /.*(?:\bEEXIST\b|File exists\b)/i),
];

const general: readonly FailureRow[] = [
  row(
    "invalid_json",
    /.*(?:Unexpected (?:token|end of JSON|non-whitespace)|is not valid JSON|JSONDecodeError|Expected (?:property name|',' or)|Bad control character in string|JsonParseException|invalid character .{1,20} looking for beginning|unexpected end of JSON|JsonReaderException|JSON::ParserError|could not parse JSON|Unterminated string in JSON).*/,
  ),
  row(
    "rate_limited",
    /.*(?:rate[- ]?limit|too many requests|ThrottlingException|Throttling:|quota (?:has been )?exceeded|RESOURCE_EXHAUSTED|ResourceExhausted|SlowDown)/i,
  ),
  row(
    "timeout",
    /.*(?:\bE(?:SOCKET)?TIMEDOUT\b|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT|timed?[- ]out|timeout of \d+ ?ms|deadline exceeded|DEADLINE_EXCEEDED|DeadlineExceeded|Timeout ?Error|SocketTimeoutException|timeout exceeded|due to timeout|ConnectTimeout|ReadTimeout|HttpClient\.Timeout|execution expired|Timeout \d+ms exceeded|no answer within)/i,
  ),
  row(
    "connection_lost",
    /.*(?:\bECONNRESET\b|socket hang up|Connection reset|\bEPIPE\b|Broken pipe|other side closed|unexpected EOF|Connection aborted|RemoteDisconnected|Premature close|ECONNABORTED|closed before|ServerDisconnected|IncompleteRead)/i,
  ),
  row(
    "unauthorized",
    /.*(?:invalid api[- ]?key|jwt expired|token (?:has |is )?expired|invalid[_ ]token|ExpiredToken|InvalidClientTokenId|UNAUTHENTICATED|Unauthenticated|invalid_grant|The security token included)/i,
  ),
  row("forbidden", /User: \S{1,200} is not authorized to perform/),
  row(
    "forbidden",
    /.*(?:AccessDenied|PERMISSION_DENIED|PermissionDenied|forbidden: User|is not authorized to perform)/,
  ),
  row(
    "not_found",
    /.*(?:\(NotFound\)|NoSuchKey|NoSuchBucket|code = NotFound|5 NOT_FOUND|ResourceNotFoundException|RecordNotFound|DoesNotExist|NoResultFound)/,
  ),
  row(
    "conflict",
    /.*(?:code = AlreadyExists|6 ALREADY_EXISTS|\(AlreadyExists\)|\(Conflict\)|the object has been modified|StaleObjectError|OptimisticLock)/,
  ),
  row(
    "unavailable",
    /.*(?:code = Unavailable|14 UNAVAILABLE|ServiceUnavailable|no healthy upstream|circuit breaker is open)/,
  ),
  row(
    "null_reference",
    /Cannot read propert|Cannot (?:set|destructure) propert|'NoneType' object|.*NullPointerException|.*nil pointer dereference|undefined (?:local variable or )?method .{1,200} for nil|Object reference not set|Attempt to read property|Call to a member function .{1,100} on null|.*on a `None` value|.{1,200} is not a function$|undefined is not/,
  ),
];

/** Says only that something failed: used where nothing says more. */
const vague: readonly FailureRow[] = [
  row(
    "exit",
    /.*(?:exit(?:ed)?(?: with)?(?: exit)? (?:code|status):? \d{1,3}\b|returned (?:a )?non-zero (?:exit )?(?:code|status):? ?\d{1,3}|Command failed|code ELIFECYCLE|returned non-zero exit status|make: \*\*\*)/i,
  ),
];

/** A table's first match, line by line in each of its rows, so that the order of rows is one of importance. */
function match(rows: readonly FailureRow[], lines: readonly string[]): FailureMatch | undefined {
  for (const line of lines) {
    for (const { kind, pattern, needle } of rows) {
      const found = needle.test(line) ? pattern.exec(line) : null;
      if (found) return { kind, cause: line.slice(found.index) };
    }
  }
  return undefined;
}

export interface FailureMatch {
  readonly kind: ErrorKind;
  readonly cause: string;
}

/** `code: 'ECONNREFUSED'`: the kind and no more, so any sentence that says as much comes first. */
const codeLine = /^\s*(?:code|errno|syscall):? /;

/** Precise rows: what they find is the cause, whatever surrounds it. */
export function matchPrecise(given: readonly string[], hasStatus: boolean): FailureMatch | undefined {
  const lines = given
    .filter((line) => !codeLine.test(line))
    .concat(given.filter((line) => codeLine.test(line)));
  const found = match(database, lines) ?? match(network, lines);
  return found ?? (hasStatus ? undefined : match(shell, lines));
}

export function matchGeneral(lines: readonly string[]): FailureMatch | undefined {
  return match(general, lines);
}

export function matchVague(lines: readonly string[]): FailureMatch | undefined {
  return match(vague, lines);
}

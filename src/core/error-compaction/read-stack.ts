// Stacks and chains of causes, in the forms in which Node, Python, the JVM, Go, Ruby, Rust, .NET and PHP print them.

interface Frame {
  readonly file: string;
  readonly line: string;
  /** Not of the language, nor of a package. */
  readonly isOwn: boolean;
}

/** One error of a chain: what it says, and where. */
export interface StackSection {
  readonly lines: string[];
  readonly frames: Frame[];
  /** How many of its lines came before its frames: Python says last what happened. */
  linesBefore: number;
  isPython: boolean;
  /** Printed as what caused the one before it. */
  isCause: boolean;
}

export interface StackReading {
  /** The root cause first, then what it caused. A text without a stack is one section. */
  readonly sections: readonly StackSection[];
  /** `src/orders.ts:41` of the caller's own code, nearest to the root cause. */
  readonly location: string | undefined;
}

/** A file and a line. Patterns of one line each; every one has `file` and `line`. */
const frames: readonly RegExp[] = [
  /^\s*(?:at|❯) (?:async )?(?:[^()]{1,300} \()?(?:file:\/\/)?(?<file>(?:[A-Za-z]:)?[^():\s][^():]{0,400}):(?<line>\d{1,7}):\d{1,7}\)?$/, // Node
  /^\s*File "(?<file>[^"]{1,400})", line (?<line>\d{1,7})(?:, in .*)?$/, // Python
  /^\s*at [\w.$/@<>-]{1,300}\((?<file>[\w$]{1,100}\.\w{1,10}):(?<line>\d{1,7})\)/, // JVM
  /^\s+(?<file>\/[^\s:]{1,400}\.go):(?<line>\d{1,7})(?: \+0x[0-9a-f]+)?$/, // Go
  /^\s*(?:from |\d{1,3}: from )?(?<file>[^\s:]{1,400}\.rb|\([\w-]{1,30}\)):(?<line>\d{1,7}):in [`'][^'`]{1,200}'?(?:$|: )/, // Ruby
  /^\s*at (?<file>(?:\.{0,2}\/)[^\s:]{1,400}\.rs):(?<line>\d{1,7}):\d{1,7}$/, // Rust
  /^\s*at .{1,500} in (?<file>[^\s].{0,400}):line (?<line>\d{1,7})$/, // .NET
  /^\s*#\d{1,4} (?<file>\/[^\s(]{1,400})\((?<line>\d{1,7})\)/, // PHP
  /^thread '[^']{0,100}'(?: \(\d+\))? panicked at (?<file>[^\s:']{1,400}\.rs):(?<line>\d{1,7}):\d{1,7}:?$/,
];

/** Frames without a place, and what stands between frames. */
const idle: readonly RegExp[] = [
  /^\s*at \S/,
  /^\s*at .{1,300}\)$/,
  /^\s*#\d{1,4} (?:\{main\}|\[internal function\])/,
  /^\s*\.\.\. \d+ (?:more|common frames omitted|levels|lines)/,
  /^\s*\[?(?:Previous line repeated|\.{3}snip)/,
  /^\s*\d{1,3}: +(?:0x[0-9a-f]+ - )?[\w<>:{}$ ,.&*'[\]-]{1,300}$/, // Rust: the function above its place
  /^\s*[~^|\s]{2,}$/,
  /^goroutine \d+ \[.{1,60}\]:$|^created by |^\[signal SIG|^exit status 2$/,
  /^[\w./*()[\]{}-]{1,200}\((?:0x[0-9a-f]+|\{0x|\.\.\.|_)[^)]{0,300}\)$/, // Go: a function above its place
  /^[\w./-]{1,120}(?:\.\(\*?\w+\))?\.[\w.]{1,80}\([^)]{0,200}\)$/,
  /^-{2,} End of .{1,80} -{2,}$|^Stack trace:$|^stack backtrace:$|^Traceback \(most recent call last\):$/i,
  /^\s*thrown in .{1,300} on line \d+$/,
  /^note: |^\s*\[stacktrace\]|^Node\.js v\d/,
];

const foreign =
  /node_modules|node:|\/site-packages\/|\/dist-packages\/|\/lib\/python\d|<frozen |\/usr\/local\/go\/|\/go\/pkg\/mod\/|\/vendor\/|\/gems\/|\/lib\/ruby\/|\/rustc\/|\.cargo\/registry|^\(|\/_\/src\/|internal\/(?:process|modules)|<internal:/;
/** Packages of the JVM and .NET, by the class of a frame: their files say only a name. */
const foreignClass =
  /^\s*at (?:app\/\/|java\.base\/)?(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|org\.(?:springframework|hibernate|apache|postgresql|eclipse|junit|jboss|h2|gradle)|com\.(?:zaxxer|mysql|fasterxml|google|microsoft|mongodb|oracle|netflix)|io\.(?:netty|lettuce|grpc|micrometer|ktor)|feign|okhttp3|retrofit2|reactor|oracle|redis|System|Microsoft|Npgsql|MySql|StackExchange|Polly)[.$]/;

const deeper = /^\s*(?:Caused by:|\{? ?\[?cause\]?:|Suppressed:|--->|\(Inner Exception #\d+\))\s*/;
/** What follows caused nothing: it was raised while the one before it was handled. */
const outward =
  /^(?:During handling of the above exception|The above exception was the direct cause)|^Next (?=[\w\\]{1,200}: )/;

export function readStack(lines: readonly string[]): StackReading {
  const sections = [emptySection()];
  let isOutward = false;
  let isDeeper = false;
  let isList = false;
  for (const line of lines) {
    const current = sections.at(-1) as StackSection; // there is always one
    const listed: string | undefined = isList ? /^\s{2,}(?:\d{1,2}: )?(\S.*)$/.exec(line)?.[1] : undefined;
    isList = listed !== undefined || line === "Caused by:"; // anyhow lists the causes below, one in a line
    if (listed !== undefined) sections.push({ ...sectionWith(listed), isCause: true });
    else if (outward.test(line)) {
      isOutward = true;
      sections.push(sectionWith(line.startsWith("Next ") ? line.slice(5) : ""));
    } else if (deeper.test(line) && !isOutward) {
      isDeeper = true;
      sections.push({ ...sectionWith(line.replace(deeper, "")), isCause: true });
    } else addLine(current, line);
  }
  const chain = sections.filter((section) => section.lines.length + section.frames.length > 0);
  const rooted = isDeeper && !isOutward ? chain.toReversed() : chain;
  return { sections: rooted, location: locate(rooted) };
}

function emptySection(): StackSection {
  return { lines: [], frames: [], linesBefore: 0, isPython: false, isCause: false };
}

function sectionWith(line: string): StackSection {
  const section = emptySection();
  for (const part of line.split(" ---> ").toReversed()) if (part.trim() !== "") addLine(section, part);
  return section;
}

function addLine(section: StackSection, line: string): void {
  const frame = frameOf(line);
  const said = ruby(line) ?? rust(line);
  if (frame) {
    if (line.includes('File "')) section.isPython = true;
    section.frames.push(frame);
    section.linesBefore = section.lines.length;
    if (said === undefined) return;
  }
  if (said !== undefined) {
    section.lines.push(said);
    return;
  }
  const isSource = section.isPython && section.frames.length > 0 && /^ {4}/.test(line);
  if (isSource || idle.some((pattern) => pattern.test(line))) return;
  const parts = line.split(" ---> ");
  for (const part of parts.toReversed()) addPart(section, part);
}

/** PHP and Python put a place behind what they say. */
function addPart(section: StackSection, line: string): void {
  const placed = /^(.{1,1000}) in (\/\S{1,300}\.php):(\d{1,7})$/.exec(line);
  if (placed) {
    const [, said = "", file = "", number = ""] = placed;
    section.frames.push({ file, line: number, isOwn: !foreign.test(file) });
    section.lines.push(said);
  } else section.lines.push(line);
}

/** `app.rb:12:in 'pay': no funds (PaymentError)` says both. */
function ruby(line: string): string | undefined {
  const found =
    /^\s*[^\s:]{1,400}\.rb:\d{1,7}:in [`'][^'`]{1,200}': (.{1,1000}?)(?: \(([A-Z][\w:]{1,100})\))?$/.exec(
      line,
    );
  return found ? (found[2] === undefined ? found[1] : `${found[2]}: ${found[1]}`) : undefined;
}

/** Before 1.73: `thread 'main' panicked at 'no funds', src/main.rs:12:5`. */
function rust(line: string): string | undefined {
  return /^thread '[^']{0,100}' panicked at '(.{1,1000})', [^\s']{1,300}:\d+:\d+$/.exec(line)?.[1];
}

function frameOf(line: string): Frame | undefined {
  if (line.length > 900) return undefined;
  for (const pattern of frames) {
    const groups = pattern.exec(line)?.groups;
    if (!groups) continue;
    const { file = "", line: number = "" } = groups;
    return { file, line: number, isOwn: !foreign.test(file) && !foreignClass.test(line) };
  }
  return undefined;
}

function locate(sections: readonly StackSection[]): string | undefined {
  for (const { frames, isPython } of sections) {
    const own = frames.filter((frame) => frame.isOwn);
    const frame = isPython ? own.at(-1) : own[0];
    if (frame) return place(frame);
  }
  return undefined;
}

/** The last two segments: the rest is of a machine. */
function place({ file, line }: Frame): string {
  const segments = file.split(/[\\/]/).filter((segment) => segment !== "" && segment !== ".");
  return `${segments.slice(-2).join("/").slice(-80)}:${line}`;
}

/** `Type: message`, in any of the languages; a Python type may stand alone. */
const headShape =
  /^\s*(?:(?:PHP )?(?:Fatal error|Warning|Error):\s+)?(?:Uncaught |Unhandled exception[.:] |Unhandled Rejection: |Exception in thread "[^"]{0,100}" |\[errors\]\[\d\]: )?(?:\(node:\d+\) )?(?<type>(?:[A-Za-z_$][\w$]{0,100}(?:\.|::|\\)){0,12}[A-Za-z_$][\w$]{0,100})(?: \[[A-Z][A-Z0-9_]{1,60}\]| \((?:\w{1,20}|\d{1,6})\))?(?::\s+(?<message>.*)|:?$)/;
const errorName =
  /(?:Error|Exception|Fault|Failure|Failed|Violation|Timeout|TimedOut|NotFound|Invalid|Denied|Refused|Abort|Interrupt|Exit|Unavailable|Throttled|DoesNotExist|StaleObject|RecordInvalid|panic)(?:\$\w+)?$/;

/** The line of a section that says what happened, as type and message with the lines that continue it. */
export function headOf(
  section: StackSection,
): { readonly type: string; readonly message: string } | undefined {
  const { lines, isPython, linesBefore } = section;
  const order = isPython
    ? [...lines.keys()].filter((index) => index >= linesBefore).concat([...lines.keys()])
    : [...lines.keys()];
  for (const index of order.slice(0, 200)) {
    const groups = headShape.exec(lines[index] ?? "")?.groups;
    if (!groups?.type) continue;
    const type = groups.type;
    const isBarePython =
      isPython && index >= linesBefore && /^[A-Za-z_][\w.]*$/.test(type) && !/^\s/.test(lines[index] ?? "");
    if (!errorName.test(type) && !isBarePython) continue;
    if (
      groups.message === undefined &&
      !isBarePython &&
      /^(?:Error|Exception|ERROR|Failure|Failed)$/.test(type)
    )
      continue;
    const message = groups.message ?? "";
    const more = lines.slice(index + 1, index + 6).filter((next) => !fieldLine.test(next));
    return {
      type: shortType(type),
      message:
        message.trim().length > 12 && !/[:[({]$/.test(message.trim())
          ? message
          : [message, ...more].join(" "),
    };
  }
  return undefined;
}

/** `code: ECONNREFUSED`: a member of an error, not a line of its message. */
const fieldLine = /^\s*[}\]]|^\s*\[?[\w.]{1,40}\]?: ?\S/;

/** The name without its package. */
function shortType(type: string): string {
  const name = type.split(/\.|::|\\/).at(-1) ?? type;
  return name === "Error" || name === "Exception" ? type : name;
}

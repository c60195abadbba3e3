// The log of a thread as a tree: each operation with its events, the actions under the decision that asked for them,
// a child's log under the call that started it. Every event is one line with its `seq` and time.
import type { ThreadEvent } from "../core/events.ts";
import { describeEvent } from "./describe-event.ts";
import { line } from "./format.ts";
import type { Paint } from "./screen.ts";

/** A log with the logs of its children, by their ids. */
export interface LogTree {
  readonly events: readonly ThreadEvent[];
  readonly children: ReadonlyMap<string, LogTree>;
}

interface Node {
  readonly event: ThreadEvent | null;
  readonly text: string;
  readonly children: Node[];
}

export function renderLog(tree: LogTree, paint: Paint): readonly string[] {
  return nodesOf(tree, paint).flatMap((node) => renderNode(node, "", "", paint));
}

function nodesOf(tree: LogTree, paint: Paint): readonly Node[] {
  const top: Node[] = [];
  const operations = new Map<string, Node>();
  const askedBy = new Map<string, Node>(); // calls of a model, by their ids
  for (const event of tree.events) {
    const known = "key" in event ? operations.get(event.key) : undefined;
    if (known) {
      addEvent(known, event, tree, askedBy, paint);
      continue;
    }
    const node: Node = { event, text: headText(event, paint), children: [] };
    const parent = event.type === "action_proposed" ? askedBy.get(event.callId) : undefined;
    (parent?.children ?? top).push(node);
    if ("key" in event) operations.set(event.key, node);
    rememberCalls(event, node, askedBy);
    addChildLog(event, node, tree, paint);
  }
  return top;
}

function headText(event: ThreadEvent, paint: Paint): string {
  const text = describeEvent(event, paint);
  return "key" in event ? `${paint("bold", line(event.key, 200))}  ${text}` : text;
}

function addEvent(
  operation: Node,
  event: ThreadEvent,
  tree: LogTree,
  askedBy: Map<string, Node>,
  paint: Paint,
): void {
  const node: Node = { event, text: describeEvent(event, paint), children: [] };
  operation.children.push(node);
  rememberCalls(event, node, askedBy);
  addChildLog(event, node, tree, paint);
}

function rememberCalls(event: ThreadEvent, node: Node, askedBy: Map<string, Node>): void {
  if (event.type !== "decision_made" || event.decision.kind !== "calls") return;
  for (const call of event.decision.calls) askedBy.set(call.callId, node);
}

function addChildLog(event: ThreadEvent, node: Node, tree: LogTree, paint: Paint): void {
  if (event.type !== "child_started") return;
  const child = tree.children.get(event.childId);
  if (child) node.children.push(...nodesOf(child, paint));
}

const placeWidth = 5;

function renderNode(node: Node, prefix: string, childPrefix: string, paint: Paint): readonly string[] {
  const place = node.event === null ? "" : String(node.event.seq);
  const time = node.event === null ? "" : node.event.at.slice(11, 23);
  const margin = paint("dim", `${place.padStart(placeWidth)}  ${time.padEnd(12)}`);
  const lines = [`${margin}  ${prefix}${node.text}`];
  for (const [index, child] of node.children.entries()) {
    const isLast = index === node.children.length - 1;
    lines.push(
      ...renderNode(
        child,
        `${childPrefix}${isLast ? "└─ " : "├─ "}`,
        `${childPrefix}${isLast ? "   " : "│  "}`,
        paint,
      ),
    );
  }
  return lines;
}

/** A cell of a table: one line, with what would end it escaped. */
function cell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [head, head.map(() => "---"), ...rows.map((row) => row.map(cell))];
  return `${lines.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}

/** Paragraphs and blocks, with one empty line between them. */
export function page(...parts: readonly string[]): string {
  return `${parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

export const generated = "<!-- Made from the source by `npm run reference`: change it there. -->";

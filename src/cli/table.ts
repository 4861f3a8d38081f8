/** A cell is cut to so many characters: TensorFlow Lite joins the names of what it fused, to 700 and more. */
const WIDEST = 60;

/** Rows of text, the first of them the head, with columns in line. Cells that are too long lose their middle. */
export function table(rows: readonly (readonly string[])[]): string {
  const short = rows.map((row) => row.map(withoutMiddle));
  const widths = short[0]!.map((_, column) => Math.max(...short.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return `${short.map(line).join('\n')}\n`;
}

/** Begin and end tell names apart. */
function withoutMiddle(text: string): string {
  const half = (WIDEST - 1) / 2;
  return text.length > WIDEST ? `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}` : text;
}

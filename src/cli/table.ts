/** A cell is cut to so many characters: TensorFlow Lite joins the names of what it fused, to 700 and more. */
const WIDEST = 60;

/** To so many at least, where a line must fit a terminal. */
const NARROWEST = 6;

/**
 * Rows of text, the first of them the head, with columns in line. Cells that are too long lose their middle; where lines are
 * to have `columns` characters at most, those of the widest columns first.
 */
export function table(rows: readonly (readonly string[])[], columns = Number.POSITIVE_INFINITY): string {
  const widths = rows[0]!.map((_, at) => Math.min(WIDEST, Math.max(...rows.map((row) => row[at]!.length))));
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= NARROWEST) break;
    widths[widest]!--;
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => withoutMiddle(cell, widths[i]!).padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

/** Begin and end tell names apart. */
function withoutMiddle(text: string, width: number): string {
  const half = (width - 1) / 2;
  return text.length > width ? `${text.slice(0, Math.ceil(half))}…${text.slice(text.length - Math.floor(half))}` : text;
}

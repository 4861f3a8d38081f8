/** Lists of labels: files with a name a line, and how they meet a network's classes. */
import { UsageError } from '../../errors.ts';
import { classesOf } from '../../graph/classes.ts';
import type { Graph } from '../../graph/graph.ts';

/** Without a byte-order mark and blank lines at the end. */
export const linesOf = (text: string): string[] =>
  text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));

/** What label files call the entry for the background. */
function isBackground(label: string | undefined): boolean {
  const text = label?.trim() ?? '';
  return text.length < 40 && /^(\d+[\s:,]+)?(_*background_*|dummy|\?+)?$/i.test(text);
}

/**
 * Labels for `classes` outputs. Label files differ by an entry for the background: a file one line longer than the classes
 * loses it, be it the first line or the last, one that is a line shorter gets it in front. Where neither line of a longer
 * file is called so it is the first, and `say` is told. Throws `UsageError` on any other difference.
 */
export function alignLabels(
  labels: readonly string[],
  classes: number,
  file: string,
  say: (message: string) => void = () => {},
): readonly string[] {
  const backgrounds = [labels[0], labels.at(-1)].map(isBackground);
  if (labels.length === classes) return labels;
  if (labels.length === classes + 1) {
    if (!backgrounds[0] && backgrounds[1]) return labels.slice(0, -1);
    if (!backgrounds[0]) say(`${file} has a line more than the classes: its first, "${labels[0]}", is left out`);
    return labels.slice(1);
  }
  if (labels.length === classes - 1 && !backgrounds.includes(true)) return ['background', ...labels];
  throw new UsageError(
    `${file} has ${labels.length} labels and the model ${classes} classes; expected as many, or one more or ` +
      'less for the background',
  );
}

/** The graph with a caller's labels. Throws `UsageError` where they are not as many as its classes. */
export function withLabels(graph: Graph, labels: readonly string[]): Graph {
  const said: string[] = [];
  const classes = classesOf(graph);
  const names = classes === null ? labels : alignLabels(labels, classes, 'labels', (message) => said.push(message));
  return { ...graph, labels: names, assumptions: [...(graph.assumptions ?? []), ...said] };
}

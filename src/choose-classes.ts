/** The classes that a caller allows or denies. */
import { UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';

type Classes = readonly (string | number)[] | undefined;

/** Whether a class counts, by its index. Throws `UsageError` for one that the model does not have. */
export function chooser(
  { name, labels }: Graph,
  { allow, deny }: { readonly allow: Classes; readonly deny: Classes },
): (index: number) => boolean {
  const indicesOf = (classes: Classes, option: string) => {
    const indices = new Set<number>();
    for (const one of classes ?? []) {
      // A few names of ImageNet stand for two classes.
      const found = typeof one === 'number' ? [one] : [...(labels ?? []).keys()].filter((i) => labels![i] === one);
      if (found.length === 0 || !found.every((index) => Number.isInteger(index) && index >= 0)) {
        const known = labels ? `its labels are ${labels.slice(0, 5).join(', ')}…` : 'it has no labels: pass indices';
        throw new UsageError(`${option} has "${one}", and ${name} has no such class; ${known}`);
      }
      for (const index of found) indices.add(index);
    }
    return indices;
  };
  const [allowed, denied] = [allow && indicesOf(allow, 'allow'), indicesOf(deny, 'deny')];
  return (index) => (!allowed || allowed.has(index)) && !denied.has(index);
}

import type { ConstantUpload } from '../planner/plan.ts';

/** Milliseconds after which work that can be interrupted lets the page do other things. */
const SLICE_MS = 4;

/** The next task of the event loop. */
export const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Does work that comes in steps, and lets the page do other things after a few milliseconds of it. */
export async function runInSlices<T>(steps: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    await nextTask();
    const end = performance.now() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
  }
}

/** Constants in batches, each packed within a few milliseconds while it is gone through. */
export async function* inSlices(constants: Iterable<ConstantUpload>): AsyncGenerator<Iterable<ConstantUpload>> {
  const iterator = constants[Symbol.iterator]();
  let over = false;
  function* slice(): Generator<ConstantUpload> {
    const end = performance.now() + SLICE_MS;
    do {
      const next = iterator.next();
      over = next.done === true;
      if (next.done) return;
      yield next.value;
    } while (performance.now() < end);
  }
  while (!over) {
    await nextTask();
    yield slice();
  }
}

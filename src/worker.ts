/** A worker with one model: what a page's `load` with the option `worker` starts. */
import { load } from './load.ts';
import type { Model } from './model.ts';
import { type Abort, type Answer, type Call, type ModelState, takeApart, withoutWeights } from './worker-crossing.ts';

type Listener = (event: MessageEvent<Call | Abort>) => void;
const scope = globalThis as unknown as {
  postMessage(answer: Answer, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: Listener): void;
};

const aborts = new Map<number, AbortController>();
let model: Model | null = null;
/** What the page was told last. */
const known = new Map<string, unknown>();

scope.addEventListener('message', ({ data }) => {
  if ('abort' in data) aborts.get(data.abort)?.abort(data.reason);
  else void answer(data);
});

async function answer({ id, method, args, listeners, abortable }: Call): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  const options = Object.fromEntries(
    listeners.map((listener) => [listener, (...told: readonly unknown[]) => scope.postMessage({ id, listener, told })]),
  );
  const crossed = args.filter((value) => typeof value === 'object' && value !== null).flat();
  try {
    const own =
      listeners.length > 0 || abortable
        ? withOptions(args, { ...options, ...(abortable && { signal: abort.signal }) })
        : args;
    const result = await perform(method, own);
    scope.postMessage({ id, result, state: state() }, transferables(result));
  } catch (error) {
    scope.postMessage({ id, error: takeApart(error), state: state() });
  } finally {
    aborts.delete(id);
    for (const value of crossed) if (value instanceof ImageBitmap || isFrame(value)) value.close();
  }
}

const isFrame = (value: unknown): value is VideoFrame =>
  typeof VideoFrame !== 'undefined' && value instanceof VideoFrame;

/** Added to the options, which are last. */
function withOptions(args: readonly unknown[], more: object): readonly unknown[] {
  return [...args.slice(0, -1), { ...(args.at(-1) as object), ...more }];
}

async function perform(method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === 'load') {
    model = await load(...(args as Parameters<typeof load>));
    model.lost.then((lost) => scope.postMessage({ lost }));
    return null;
  }
  if (method === 'tuned') return model!.tuned;
  const call = model![method as 'run'] as (...args: readonly unknown[]) => Promise<unknown>;
  return call.apply(model, [...args]);
}

/** What has changed since the page was told. */
function state(): ModelState | null {
  if (!model) return null;
  const { graph, prepared, planKind, device, deviceReason, precision, adapter } = model;
  const now = { graph, prepared, planKind, device, deviceReason, precision, adapter, plan: planOf(model) };
  const changed = Object.entries(now).filter(([key, value]) => !known.has(key) || known.get(key) !== value);
  for (const [key, value] of changed) known.set(key, value);
  const values = Object.fromEntries(
    changed.map(([key, value]) => [
      key,
      key === 'graph' || key === 'prepared' ? withoutWeights(value as typeof graph) : value,
    ]),
  );
  const { inputs, outputs, assumptions } = model;
  const asked = known.has('inputs') ? {} : { inputs, outputs, assumptions };
  known.set('inputs', inputs);
  return { values: { ...values, ...asked }, tuned: model.tuned !== null };
}

/** Undefined where no GPU could run the network. */
function planOf(model: Model): unknown {
  try {
    return model.plan;
  } catch {
    return undefined;
  }
}

/** Buffers of typed arrays, which are the page's from now on. */
function transferables(result: unknown): Transferable[] {
  const found = new Set<ArrayBuffer>();
  const look = (value: unknown, depth: number) => {
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteLength } = value;
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) found.add(buffer);
    } else if (typeof value === 'object' && value !== null && depth > 0) {
      for (const inner of Object.values(value)) look(inner, depth - 1);
    }
  };
  look(result, 3);
  return [...found];
}

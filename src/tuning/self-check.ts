/** What a plan computes, before its first result is handed out, against the CPU reference on made-up layers. */
import type { Gpu } from '../device/gpu.ts';
import { GraphError, InvalidResultError } from '../errors.ts';
import type { Graph, ImageRule } from '../graph/graph.ts';
import { type Node, writtenBy } from '../graph/ops.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Plan, Precision } from '../planner/plan.ts';
import { kernelsOf } from '../planner/select.ts';
import { operationsFor } from '../reference/operations-for.ts';
import { runGraphWith } from '../reference/run.ts';
import { type Beside, Executor } from '../scheduler/executor.ts';
import { poison } from '../scheduler/poison.ts';
import { wrongPictures } from '../validate/picture-check.ts';
import { version } from '../version.ts';
import { cacheKey } from './cache.ts';
import { type Golden, goldenInputs, goldenOf, goldenPictures } from './golden.ts';
import { type CheckStore, indexedDbChecks, type PassedChecks } from './passed-checks.ts';

/** Bytes behind each tensor, more than the lanes of a workgroup that have nothing to do would write. */
const GUARD = 256;

/** What passed is checked again after so long: drivers are updated without a word. */
const EXPIRES_MS = 30 * 24 * 3600 * 1000;

/** A kernel that gave something else than the CPU. */
export interface CheckFailure {
  readonly kernel: string;
  /** A layer that it would run. */
  readonly node: string;
  readonly reason: string;
}

export interface CheckReport {
  readonly failures: readonly CheckFailure[];
  /** Made-up layers that ran. */
  readonly checked: number;
  /** Layers of the network that were not checked: they are too large. */
  readonly unchecked: readonly string[];
  readonly ms: number;
}

export interface CheckOptions {
  /** `always`: what passed another time is checked again. */
  readonly mode: 'once' | 'always';
  readonly store?: CheckStore | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the pipelines of a plan on made-up layers, several times. Throws `DeviceLostError`, `OutOfMemoryError`, the signal's
 * reason; nothing of it is left on the device then.
 */
export async function checkPlan(
  gpu: Gpu,
  graph: Graph,
  plan: Plan,
  { mode, store = indexedDbChecks(), signal }: CheckOptions,
): Promise<CheckReport> {
  signal?.throwIfAborted();
  const start = performance.now();
  const registry = await kernelsOf(plan);
  const place = cacheKey(gpu, plan.precision);
  const known = mode === 'once' ? await passedOf(store, place).catch(() => null) : null;
  const hash = hashesOf(plan);
  const has = (op: Node['op']) => graph.nodes.some((node) => node.op === op);
  const rarer = has('integer')
    ? (await import('./integer-likeness.ts')).integerLikeness
    : has('fused')
      ? (await import('./gate-likeness.ts')).gateLikeness
      : null;
  const golden = goldenOf(
    graph,
    plan,
    registry,
    { has: (pipeline, key) => known?.passed.includes(hash(pipeline, key)) ?? false },
    rarer,
  );
  const done = (failures: CheckFailure[]): CheckReport => ({
    failures,
    checked: golden.layers.length,
    unchecked: golden.unchecked,
    ms: performance.now() - start,
  });
  if (golden.layers.length === 0) return done([]);
  const failures = await compare(gpu, golden, plan.precision, registry, signal);
  if (store) {
    const remember = async () => {
      const before = await passedOf(store, place);
      const failed = before?.failed || failures.length > 0;
      const passed = golden.layers.map(({ pipeline, key }) => hash(pipeline, key));
      const all = failed ? [] : [...new Set([...(before?.passed ?? []), ...passed])];
      await store.set(place, { engine: version, at: before?.at ?? Date.now(), passed: all, failed });
    };
    // Hashes of shaders, and writing, take time of processors that a first result waits for.
    setTimeout(() => remember().catch(() => {}), 1000);
  }
  return done(failures);
}

/** What is known of a place, and not too old. */
async function passedOf(store: CheckStore | null, place: string): Promise<PassedChecks | null> {
  const kept = await store?.get(place);
  return kept?.engine === version && Date.now() - kept.at < EXPIRES_MS ? kept : null;
}

/** What is remembered of a plan's pipelines and layers. */
function hashesOf({ pipelines }: Plan): (pipeline: number, key: string) => string {
  const hashes: string[] = [];
  return (pipeline, key) => {
    hashes[pipeline] ??= hashOf(JSON.stringify(pipelines[pipeline]));
    return hashOf(`${hashes[pipeline]} ${key}`);
  };
}

/** 32 bits of a text, as FNV-1a makes them but for its numbers. */
function hashOf(text: string): string {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 2654435761);
  return hash.toString(36);
}

async function compare(
  gpu: Gpu,
  { graph, tuned, halves, layers }: Golden,
  precision: Precision,
  registry: Awaited<ReturnType<typeof kernelsOf>>,
  signal: AbortSignal | undefined,
): Promise<CheckFailure[]> {
  const preferences = { features: gpu.features, prefer: [], tuned };
  const plan = createPlan(graph, registry, {
    precision,
    preferences,
    halves,
    aliasing: false,
    limits: gpu.device.limits,
    guard: GUARD,
  });
  const operations = await operationsFor(graph);
  const inputs = goldenInputs(graph);
  const written = new Set(plan.outputs.map(({ tensor }) => plan.tensors[tensor]!.buffer));
  // The network's pipelines, which are these, compile meanwhile.
  const expected = runGraphWith(operations, graph, inputs);
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan, registry), { signal });
  try {
    // Some GPUs are right only the first time.
    const runs = [false, true].map((again) => {
      // Bytes are never NaN: what nobody writes is not the same twice. Around inputs nothing is written.
      const beside: Beside = {
        upload() {
          poison(executor.resources, again, again ? written : undefined);
          executor.upload(plan.inputs.map((name) => inputs[name]!));
        },
      };
      // Not before its turn: others may have the GPU to themselves before the first.
      return executor.exclusive(() => executor.infer(signal, beside), { signal, need: 'run' });
    });
    const found = (await Promise.all(runs)).map(({ outputs }) => outputs);
    return layers.flatMap(({ of, kernel }, i) => {
      const node = graph.nodes[i]!;
      for (const output of writtenBy(node)) {
        for (const [run, values] of found.entries()) {
          const { data: right, shape } = expected[output]!;
          const when = run === 0 ? '' : ' in run 2';
          // Nobody sees there which bytes were written. Behind tensors with padding lanes nothing is read.
          const behind = node.op === 'integer' ? new Float32Array() : values[output]!.subarray(right.length);
          if (!behind.every(Number.isNaN)) return [{ kernel, node: of, reason: `it writes behind its tensor${when}` }];
          const at = firstWrong(values[output]!, right, node, halves.has(output));
          if (at < 0) continue;
          const [actual, wanted] = [values[output]![at], right[at]];
          const where = `element ${at} of [${shape}]`;
          return [{ kernel, node: of, reason: `${where} is ${actual}${when}, expected ${wanted}` }];
        }
      }
      return [];
    });
  } finally {
    executor.dispose();
  }
}

/** The first value that is off by more than an exact sum and what comes after it can be; −1 where there is none. */
function firstWrong(actual: Float32Array, expected: Float32Array, node: Node, half: boolean): number {
  // Divisions and exponentials; a fused block rounds each of its parts. Integers are exact.
  const relative = node.op === 'fused' ? 1e-4 : node.op === 'integer' ? 0 : 4e-6;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i]!;
    const rounding = half ? 2 ** -10 * Math.abs(value) + 2 ** -24 : 0;
    if (!(Math.abs(actual[i]! - value) <= relative * (1 + Math.abs(value)) + rounding)) return i;
  }
  return -1;
}

/** Why a plan is not to be run; null where it may. Throws as `checkPlan` does. */
export async function whyNot(gpu: Gpu, graph: Graph, plan: Plan, options: CheckOptions): Promise<string | null> {
  try {
    const { failures } = await checkPlan(gpu, graph, plan, options);
    return failures.map(({ kernel, reason }) => `${kernel}: ${reason}`).join('; ') || null;
  } catch (error) {
    if (isUnable(error)) return null;
    throw error;
  }
}

/**
 * What is wrong with what becomes of pictures, by this rule, before a plan's first layer, and of its scores behind the last:
 * logits or not, null where they are not ranked. Null where nothing is. Throws as `checkPlan` does.
 */
export async function checkPictures(
  { gpu, plan }: Executor,
  graph: Graph,
  rule: ImageRule,
  logits: boolean | null,
): Promise<string | null> {
  const registry = await kernelsOf(plan);
  const { graph: small, tuned } = goldenPictures(graph, plan, registry);
  const preferences = { features: gpu.features, prefer: [], tuned };
  let made: Plan;
  try {
    made = createPlan(small, registry, {
      precision: plan.precision,
      preferences,
      halves: new Set(),
      limits: gpu.device.limits,
    });
  } catch (error) {
    if (isUnable(error)) return null;
    throw error;
  }
  const executor = await Executor.create(gpu, made, packConstants(small, made, registry));
  try {
    const wrong = await wrongPictures(executor, small, rule, logits);
    return wrong && `pictures come out wrong on this GPU, and become tensors on the CPU: ${wrong}`;
  } finally {
    executor.dispose();
  }
}

/** A made-up layer that cannot be planned says nothing of the layers that can. */
const isUnable = (error: unknown): error is GraphError => error instanceof GraphError;

/** What is exchanged where it is wrong. */
interface Checked {
  readonly gpu: Gpu;
  readonly executor: Executor;
  readonly precision: Precision;
}

/**
 * Checks a plan while it is made ready, `beginning`, and goes on with it where it computes right; else with what `again` makes
 * without the kernels that do not: the safer ones that are left, then all of them on float32. Says so in `words`, a sentence
 * each. What of the two fails first aborts `stop`, which the signals of both follow, and is thrown once both have ended. Throws
 * as `beginning` and `checkPlan` do, and `InvalidResultError` where none is right.
 */
export async function ensureRight<R extends Checked>(
  beginning: Promise<R>,
  stop: AbortController,
  gpu: Gpu,
  graph: Graph,
  plan: Plan,
  options: CheckOptions,
  again: (avoid: readonly string[], precision: Precision) => Promise<R>,
): Promise<{ readonly running: R; readonly words: readonly string[] }> {
  const words: string[] = [];
  let checking = checkPlan(gpu, graph, plan, options);
  beginning.catch((error) => stop.abort(error));
  checking.catch((error) => isUnable(error) || stop.abort(error));
  const [began] = await Promise.allSettled([beginning, checking]);
  if (began.status === 'rejected' || stop.signal.aborted) {
    if (began.status === 'fulfilled') began.value.executor.dispose();
    throw await gpu.explain(stop.signal.reason);
  }
  let running = await beginning;
  let avoid: string[] = [];
  for (;;) {
    let failures: readonly CheckFailure[];
    try {
      const report = await checking;
      failures = report.failures;
      if (failures.length === 0) {
        const left = report.unchecked.length > 0 ? `; not checked (too large): ${report.unchecked.join(', ')}` : '';
        const what =
          report.checked > 0 ? `${report.checked} made-up layers in ${report.ms.toFixed(0)} ms` : 'passed before';
        return { running, words: [...words, `self-check passed: ${what}${left}`] };
      }
    } catch (error) {
      if (isUnable(error)) return { running, words: [...words, `self-check could not be done: ${error.message}`] };
      running.executor.dispose();
      throw await running.gpu.explain(error);
    }
    running.executor.dispose();
    for (const { kernel, node, reason } of failures) {
      words.push(
        `kernel ${kernel} (layer "${node}", ${running.precision}) computes wrongly on this GPU and is not used: ${reason}`,
      );
    }
    avoid.push(...failures.map(({ kernel }) => kernel));
    let { precision } = running;
    for (;;) {
      try {
        running = await again(avoid, precision);
        checking = checkPlan(running.gpu, graph, running.executor.plan, options);
        break;
      } catch (error) {
        if (!isUnable(error)) throw error;
        if (precision === 'float32') throw new InvalidResultError(`this GPU computes wrongly: ${words.join('; ')}`);
        words.push(`no kernel is left that computes right on ${precision}: float32 is used`);
        precision = 'float32';
        avoid = [];
      }
    }
  }
}

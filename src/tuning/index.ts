import type { Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import type { Conv2d } from '../graph/ops.ts';
import type { Precision } from '../planner/plan.ts';
import { dispatchTime } from '../scheduler/dispatch-time.ts';
import { version } from '../version.ts';
import { cacheKey, type TuningCache, usableRecord } from './cache.ts';
import { steadyPreferences } from './defaults.ts';
import { indexedDbCache } from './indexed-db.ts';
import { Trial } from './trial.ts';
import { type TunerOptions, type Tuning, tuneKernels } from './tuner.ts';

export interface TuneOptions extends Pick<TunerOptions, 'signal' | 'onProgress' | 'exclusive'> {
  readonly precision: Precision;
  readonly budgetMs: number;
  /** Where to remember; null: nowhere. The browser's IndexedDB unless given. */
  readonly cache?: TuningCache | null | undefined;
}

export interface TuneResult extends Tuning {
  /** Layers whose kernel was remembered. */
  readonly remembered: number;
}

/** An ordinary layer in the middle of a MobileNet. */
const fingerprintNode: Conv2d = {
  op: 'conv2d',
  name: 'fingerprint',
  inputs: ['x0'],
  output: 'y',
  weights: new Float32Array(96 * 96),
  bias: null,
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: { top: 0, left: 0, bottom: 0, right: 0 },
  groups: 1,
  outChannels: 96,
  activation: 'none',
};

const FINGERPRINTS = 5;

/**
 * The kernels for a graph on this adapter: those remembered, and those found by measurement within the budget. A cache
 * that fails, or holds something else, is as good as none.
 */
export async function tune(gpu: Gpu, graph: Graph, options: TuneOptions): Promise<TuneResult> {
  const { precision, cache = indexedDbCache(), exclusive = (work) => work() } = options;
  const steady = steadyPreferences(gpu.adapter);
  if (!cache) return { ...(await tuneKernels(gpu, graph, { ...options, preferences: steady })), remembered: 0 };
  const fingerprintMs = await exclusive(() => fingerprint(gpu));
  const key = cacheKey(gpu, precision);
  const stored = await cache.get(key).catch(() => null);
  const record = fingerprintMs === null ? null : usableRecord(stored, fingerprintMs);
  const known = record?.tuned ?? {};
  const found = await tuneKernels(gpu, graph, { ...options, preferences: { ...steady, tuned: known } });
  const tuned = { ...known, ...found.tuned };
  if (fingerprintMs !== null && Object.keys(found.tuned).length > 0) {
    await cache
      .set(key, { engine: version, fingerprintMs: record?.fingerprintMs ?? fingerprintMs, tuned })
      .catch(() => {});
  }
  return { ...found, tuned, remembered: Object.keys(known).length };
}

/** The least of several times: what else the machine does only adds. */
async function fingerprint(gpu: Gpu): Promise<number | null> {
  const trial = new Trial(fingerprintNode, [[1, 14, 14, 96]], 'float32');
  const executor = await trial.open(gpu, 'float32', 'conv-pointwise');
  try {
    await dispatchTime(executor, 1);
    const times: number[] = [];
    for (let i = 0; i < FINGERPRINTS; i++) {
      const ms = await dispatchTime(executor, 4);
      if (ms !== null) times.push(ms);
    }
    return times.length > 0 ? Math.min(...times) : null;
  } finally {
    executor.dispose();
  }
}

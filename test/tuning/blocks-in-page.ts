import { buildArchitecture } from '../../src/architectures/index.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { type Graph, load, seededInputs, type TuningCache } from '../../src/index.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { layerKey } from '../../src/planner/select.ts';
import type { TuningRecord } from '../../src/tuning/cache.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { version } from '../../src/version.ts';
import { counted } from '../scheduler/in-page.ts';
import { type TimedDispatch, tuneBy } from './even-clock.ts';

/** How long a dispatch takes by the clock of a test: `1` unless it is a fused one. */
export interface FusedTimes {
  /** Of fused dispatches of at least so many workgroups, and of those of fewer. */
  readonly workgroups: number;
  readonly large: number;
  readonly small: number;
  /** What fused dispatches take in a whole network, where that is something else. */
  readonly inNetwork?: number;
}

const fusedShaders = /inverted-residual|universal-bottleneck|expand-depthwise|conv-project|pool-fully-connected/;

/** What is remembered where every kernel of every layer was tried, by a clock by which a dispatch takes a millisecond. */
async function layersTried(graph: Graph): Promise<TuningRecord> {
  const shapes = inferShapes(graph);
  const { usual, variants } = await allKernels();
  const record = { kernel: null, tried: [...usual, ...variants].map(({ name }) => name), refused: [] };
  const layers = graph.nodes.map((node) => {
    const inputs = node.inputs.map((name) => shapes.get(name)!);
    return [layerKey(node, { inputs, output: shapes.get(node.output)! }), record];
  });
  return { engine: version, fingerprintMs: 1, layers: Object.fromEntries(layers) };
}

/** The first nodes of a network. */
function beginningOf(id: string, count: number): Graph {
  const graph = prepare(buildArchitecture(id));
  const nodes = graph.nodes.slice(0, count);
  return { ...graph, nodes, outputs: [{ name: 'y', tensor: nodes.at(-1)!.output }] };
}

/** Tunes the beginning of a network twice with blocks timed so, the second time with what is remembered of the first. */
export async function tuneBlocksTwice({ id, nodes, times }: { id: string; nodes: number; times: FusedTimes }) {
  const graph = beginningOf(id, nodes);
  const kept = new Map<string, unknown>();
  const tried = await layersTried(graph);
  const cache: TuningCache = {
    get: async (key) => kept.get(key) ?? tried,
    set: async (key, value) => {
      kept.set(key, structuredClone(value));
    },
  };
  const timeOf = (dispatches: readonly TimedDispatch[]) => {
    const whole = dispatches.some(({ shader }) => shader.startsWith('conv-stem'));
    const of = ({ shader, workgroups }: TimedDispatch) => {
      if (!fusedShaders.test(shader)) return 1;
      return (whole && times.inNetwork) || (workgroups >= times.workgroups ? times.large : times.small);
    };
    return dispatches.reduce((sum, dispatch) => sum + of(dispatch), 0);
  };
  const visits = [];
  for (let visit = 0; visit < 2; visit++) {
    const model = await load(graph, { device: 'webgpu', tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const before = await model.run(inputs);
    const unfused = model.plan.dispatches.length;
    const report = await tuneBy(model, { budgetMs: 1e6, cache }, timeOf);
    let after = await model.run(inputs);
    const warm = await counted(async () => {
      after = await model.run(inputs);
    });
    const { ok, plan, layers } = await model.validate(inputs);
    visits.push({
      unfused,
      kernels: report.kernels,
      refused: report.refused.map(({ reason }) => reason),
      complete: report.complete,
      blocks: report.layers
        .filter(({ key }) => key.startsWith('block '))
        .map(({ chosen, tried }) => ({ chosen, tried })),
      difference: Math.max(
        ...Object.entries(before).map(([name, values]) => compareOutputs(after[name]!, values).nmse),
      ),
      warm,
      valid: ok && layers.slice(0, report.kernels.length).every(({ kernel }, i) => kernel === report.kernels[i]),
      plan,
      prepared: model.prepared.nodes.length,
    });
    model.dispose();
  }
  return visits;
}

/** The kernels that a network runs on after a tuning without time to race any. */
export async function shipped({ id }: { id: string }) {
  const model = await load(id, { device: 'webgpu', tuning: 'off' });
  const unfused = model.plan.dispatches.length;
  const { refused } = await tuneBy(model, { budgetMs: 1e-6, cache: null }, (dispatches) => dispatches.length);
  const { ok: valid } = await model.validate(seededInputs(model.graph));
  const kernels = model.plan.dispatches.map(({ kernel }) => kernel);
  model.dispose();
  return { kernels, refused, valid, unfused };
}

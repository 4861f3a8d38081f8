/** What a self-check finds, in the browser: of sound shaders, of six that are sabotaged, of mutated ones. */
import { buildArchitecture } from '../../src/architectures/index.ts';
import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { type Graph, load, Model, seededInputs } from '../../src/index.ts';
import type { CheckStore, PassedChecks } from '../../src/tuning/passed-checks.ts';
import { checkPlan } from '../../src/tuning/self-check.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

/** The report of a model that was checked, and milliseconds until the first result without and with it. */
export async function plain({
  id,
  precision,
  plan,
}: {
  id: string;
  precision?: 'float16-storage' | 'float16';
  plan?: 'fused';
}) {
  const ms: number[] = [];
  let report = '';
  for (const selfCheck of ['off', 'always'] as const) {
    const start = performance.now();
    const options = { ...(precision ? { precision } : {}), ...(plan ? { plan } : {}) };
    const model = await load(id, { device: 'webgpu', tuning: 'off', selfCheck, ...options });
    await model.run(seededInputs(model.graph));
    ms.push(performance.now() - start);
    report = model.report;
    model.dispose();
  }
  return { report, ms };
}

type Edit = (code: string) => string;

const replacing =
  (from: string, to: string): Edit =>
  (code) => {
    if (!code.includes(from)) throw new Error(`the shader does not hold "${from}"`);
    return code.replaceAll(from, to);
  };

interface Sabotage {
  readonly label: string;
  readonly edit: Edit;
  /** Only from the second time on that a pass sets the pipeline. */
  readonly later?: true;
}

const wrongTap = replacing('shape.kernel_x + kx) * shape.channels4', 'shape.kernel_x + min(kx, 1u)) * shape.channels4');

const sabotages: Readonly<Record<string, Sabotage>> = {
  'a wrong tap': { label: 'conv-depthwise-any.wgsl', edit: wrongTap },
  'wrong padding': {
    label: 'conv-depthwise-any.wgsl',
    edit: replacing('i32(out_y * shape.stride_y) - shape.pad_top', 'i32(out_y * shape.stride_y)'),
  },
  'the last row unwritten': {
    label: 'conv-depthwise-any.wgsl',
    edit: replacing(
      '|| out_x >= shape.out_width) {',
      '|| out_x >= shape.out_width || out_y + 1u == shape.out_height) {',
    ),
  },
  'a stale arena read': {
    label: 'conv-depthwise-any.wgsl',
    edit: replacing('finish(sums[p], first', 'finish(sums[p] + 0.5 * dst[first + p * shape.channels4], first'),
  },
  'wrong from the second run on': { label: 'conv-depthwise-any.wgsl', edit: wrongTap, later: true },
  'a wrong negative branch': {
    label: 'conv-direct.wgsl',
    edit: replacing('clamp(x + shift, vec4f(low)', 'clamp(x + shift, vec4f(low - 0.1)'),
  },
  'idle lanes that write': {
    label: 'conv-depthwise-any.wgsl',
    edit: replacing('c >= shape.channels4 || out_x', 'c >= shape.channels4 && out_x'),
  },
};

export const names = Object.keys(sabotages);

/** Has devices compile a changed text of a shader while `work` runs. */
async function sabotaged<T>({ label, edit, later }: Sabotage, work: () => Promise<T>): Promise<T> {
  const { createShaderModule, createComputePipelineAsync } = GPUDevice.prototype;
  const { setPipeline } = GPUComputePassEncoder.prototype;
  const changed = (device: GPUDevice, descriptor: GPUShaderModuleDescriptor) =>
    createShaderModule.call(device, { ...descriptor, code: edit(descriptor.code) });
  const modules = new WeakMap<GPUShaderModule, GPUShaderModule>();
  const pipelines = new WeakMap<GPUComputePipeline, { readonly bad: GPUComputePipeline; uses: number }>();
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    if (descriptor.label !== label) return createShaderModule.call(this, descriptor);
    if (!later) return changed(this, descriptor);
    const good = createShaderModule.call(this, descriptor);
    modules.set(good, changed(this, descriptor));
    return good;
  };
  GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
    const good = await createComputePipelineAsync.call(this, descriptor);
    const module = modules.get(descriptor.compute.module);
    if (module) {
      const compute = { ...descriptor.compute, module };
      pipelines.set(good, { bad: await createComputePipelineAsync.call(this, { ...descriptor, compute }), uses: 0 });
    }
    return good;
  };
  GPUComputePassEncoder.prototype.setPipeline = function (pipeline) {
    const other = pipelines.get(pipeline);
    return setPipeline.call(this, other && ++other.uses > 1 ? other.bad : pipeline);
  };
  try {
    return await work();
  } finally {
    Object.assign(GPUDevice.prototype, { createShaderModule, createComputePipelineAsync });
    Object.assign(GPUComputePassEncoder.prototype, { setPipeline });
  }
}

/** How far off outputs are, and what the report says, without the self-check and with it. */
export async function withSabotage({ how, id }: { how: string; id: string }) {
  const results = [];
  for (const selfCheck of ['off', 'always'] as const) {
    results.push(
      await sabotaged(sabotages[how]!, async () => {
        const model = await load(id, { device: 'webgpu', tuning: 'off', selfCheck });
        const inputs = seededInputs(model.graph, 3);
        await model.run(inputs);
        const { nmse } = compareOutputs((await model.run(inputs)).logits!, (await model.runReference(inputs)).logits!);
        const { report, device } = model;
        model.dispose();
        return { nmse, report, device };
      }),
    );
  }
  return { off: results[0]!, on: results[1]! };
}

/** Elements of a quantised file's outputs that are not the reference's, without the self-check and with it, on a harmed shader. */
export async function integers({
  file,
  label,
  from,
  to,
}: {
  file: Uint8Array;
  label: string | null;
  from: string;
  to: string;
}) {
  const results = [];
  for (const selfCheck of ['off', 'always'] as const) {
    const work = async () => {
      const model = await load(file, {
        name: 'q.tflite',
        precision: 'int8',
        device: 'auto',
        cpu: false,
        tuning: 'off',
        selfCheck,
      });
      const inputs = seededInputs(model.graph, 3);
      const [output] = model.graph.outputs;
      const actual = (await model.run(inputs))[output!.name]!;
      const expected = (await model.runReference(inputs))[output!.name]!;
      const wrong = actual.reduce((count, value, i) => count + (Object.is(value, expected[i]) ? 0 : 1), 0);
      const { report, device } = model;
      model.dispose();
      return { wrong, report, device };
    };
    results.push(label ? await sabotaged({ label, edit: replacing(from, to) }, work) : await work());
  }
  return { off: results[0]!, on: results[1]! };
}

/** The best classes of a picture by sound shaders, and by a sabotaged one without the self-check and with it. */
export async function pictures({ label, from, to }: { label: string; from: string; to: string }) {
  const random = seededUniform(5);
  const picture = { width: 80, height: 70, data: Uint8Array.from({ length: 4 * 80 * 70 }, () => 256 * random()) };
  const see = async (selfCheck: 'off' | 'always') => {
    const model = await load('v1-0.25-64', { device: 'webgpu', tuning: 'off', selfCheck });
    const options = { image: 'keras', top: 3 } as const;
    await model.classify(picture, options);
    const top = (await model.classify(picture, options)).map(({ index, score }) => ({ index, score }));
    const { report } = model;
    model.dispose();
    return { top, report };
  };
  const harm = { label, edit: replacing(from, to) };
  return {
    sound: await see('always'),
    off: await sabotaged(harm, () => see('off')),
    on: await sabotaged(harm, () => see('always')),
  };
}

/** Classes of a region that lies beyond the noise that pictures are checked on, on the GPU and on the CPU. */
export async function farRegion() {
  const [width, height] = [150, 120];
  const random = seededUniform(1);
  const data = Uint8Array.from({ length: 4 * width * height }, () => 256 * random());
  const seen = await Promise.all(
    (['webgpu', 'reference'] as const).map(async (device) => {
      const model = await load('v1-0.25-32', { device, tuning: 'off', selfCheck: 'always' });
      const region = [100, 80, 40, 30] as const;
      const top = await model.classify({ width, height, data }, { image: 'zeroToOne', region });
      model.dispose();
      return top[0]!.index;
    }),
  );
  return seen;
}

/** A whole shader library is wrong: what becomes of a model, of which precision. */
export async function hopeless({ precision }: { precision: 'auto' | 'float16-storage' }) {
  const every = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function ({ label, code }) {
    // What reads halves, or what writes a tensor of any kind.
    const harmed =
      precision === 'auto'
        ? code.replace('-> Dst4 { return value', '-> Dst4 { return 1.0 + value')
        : code.replace(/(fn from_half.*{ return )/, '$11.5 * ');
    return every.call(this, { label: label!, code: harmed });
  };
  try {
    const model = await load('v2-0.35-32', {
      device: 'auto',
      cpu: false,
      precision,
      tuning: 'off',
      selfCheck: 'always',
    });
    const inputs = seededInputs(model.graph, 3);
    const { nmse } = compareOutputs((await model.run(inputs)).logits!, (await model.runReference(inputs)).logits!);
    const { report, device } = model;
    model.dispose();
    return { nmse, report, device };
  } finally {
    GPUDevice.prototype.createShaderModule = every;
  }
}

/** Layers that are checked at each of these visits: the first, the next, one a month later, one with another engine; and after a failure. */
export async function visits() {
  const kept = new Map<string, PassedChecks>();
  const store: CheckStore = {
    get: async (key) => kept.get(key),
    set: async (key, value) => {
      kept.set(key, value);
    },
  };
  const gpu = await openGpu();
  const model = await Model.create(buildArchitecture('v1-0.25-32'), gpu, '', { tuning: 'off' });
  const check = async (on: Gpu, mode: 'once' | 'always') => {
    const own = globalThis.setTimeout;
    // What passed is written a second later.
    globalThis.setTimeout = ((work: () => void) => own(work)) as typeof own;
    const report = await checkPlan(on, model.prepared, model.plan, { mode, store });
    globalThis.setTimeout = own;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return report;
  };
  const visit = async () => (await check(gpu, 'once')).checked;
  const found = [await visit(), await visit()];
  for (const [key, value] of kept) kept.set(key, { ...value, at: value.at - 31 * 24 * 3600 * 1000 });
  found.push(await visit());
  for (const [key, value] of kept) kept.set(key, { ...value, engine: 'another' });
  found.push(await visit());
  const { failures } = await sabotaged(sabotages['a wrong tap']!, async () => {
    const other = await openGpu();
    const report = await check(other, 'always');
    other.dispose();
    return report;
  });
  const again = [await visit(), await visit()];
  model.dispose();
  return { found, failures: failures.length, again };
}

const swaps: readonly (readonly [RegExp, string])[] = [
  [/ \+ /, ' - '],
  [/ - /, ' + '],
  [/ \* /, ' + '],
  [/ < /, ' <= '],
  [/ >= /, ' > '],
  [/ > /, ' >= '],
  [/ && /, ' || '],
  [/ \|\| /, ' && '],
  [/\bmin\(/, 'max('],
  [/\bmax\(/, 'min('],
  [/\.x\b/, '.y'],
  [/\.y\b/, '.x'],
  [/\b0u\b/, '1u'],
  [/\b1u\b/, '2u'],
  [/\b0\.0\b/, '1.0'],
  [/\b6\.0\b/, '5.0'],
];

/** One seeded change in the functions of a shader; not in the heads of loops that count, which might not end. */
function mutate(code: string, random: () => number): string | null {
  const begin = code.indexOf('fn ');
  for (let attempt = 0; attempt < 50; attempt++) {
    const [pattern, to] = swaps[Math.floor(random() * swaps.length)]!;
    const places = [...code.matchAll(new RegExp(pattern, 'g'))].filter(({ index }) => {
      const line = code.slice(code.lastIndexOf('\n', index) + 1, code.indexOf('\n', index));
      return index > begin && !/^\s*(\/\/|for|@|override|struct|alias|const)/.test(line) && !line.includes('@compute');
    });
    const place = places[Math.floor(random() * places.length)];
    if (place) return code.slice(0, place.index) + to + code.slice(place.index + place[0].length);
  }
  return null;
}

export interface Mutant {
  readonly label: string;
  readonly outcome: 'refused' | 'same' | 'rounding' | 'wrong';
  readonly caught: boolean;
  readonly change: string;
}

/** Seeded mutations of the shaders of a network: what becomes of its outputs, and whether the self-check tells. */
export async function mutants({ id, from, to }: { id: string; from: number; to: number }): Promise<Mutant[]> {
  const graph = buildArchitecture(id);
  const inputs = seededInputs(graph, 3);
  const open = async (own: Graph) => Model.create(own, await openGpu(), '', { tuning: 'off', selfCheck: 'off' });
  const model = await open(graph);
  const sound = (await model.run(inputs)).logits!;
  const labels = model.plan.pipelines.map(({ label }) => label);
  model.dispose();
  const found: Mutant[] = [];
  for (let seed = from; seed < to; seed++) {
    const random = seededUniform(7919 * seed + 1);
    const label = labels[Math.floor(random() * labels.length)]!;
    let change = '';
    const edit: Edit = (code) => {
      // Each time the same, as a shader may be compiled again.
      const mutated = mutate(code, seededUniform(104729 * seed + 3)) ?? code;
      change = difference(code, mutated);
      return mutated;
    };
    const mutant = await sabotaged({ label, edit }, async (): Promise<Omit<Mutant, 'label' | 'change'>> => {
      const gpu = await openGpu();
      let harmed: Model;
      try {
        harmed = await Model.create(graph, gpu, '', { tuning: 'off' });
      } catch {
        return { outcome: 'refused', caught: true };
      }
      try {
        const runs = [await harmed.run(inputs), await harmed.run(inputs)].map(({ logits }) => logits!);
        const same = runs.every((run) => run.every((value, i) => Object.is(value, sound[i])));
        const wrong = runs.some((run) => !(compareOutputs(run, sound).nmse <= 1e-10));
        const { failures } = await checkPlan(gpu, harmed.prepared, harmed.plan, { mode: 'always', store: null });
        return { outcome: same ? 'same' : wrong ? 'wrong' : 'rounding', caught: failures.length > 0 };
      } catch {
        return { outcome: 'refused', caught: true };
      } finally {
        harmed.dispose();
      }
    });
    found.push({ label, change, ...mutant });
  }
  return found;
}

/** The first line that differs. */
function difference(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return at < 0 ? '' : `${a[at]!.trim()} → ${b[at]!.trim()}`;
}

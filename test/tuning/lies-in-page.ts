/** Adapters that are not what they say, in the browser. */
import { seededUniform } from '../../src/graph/random.ts';
import { load, seededInputs } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { smallNetwork } from './small-network.ts';

const clocks: Readonly<Record<string, (stamps: BigUint64Array) => void>> = {
  /** Passes end before they begin. */
  negative: (stamps) => {
    for (let i = 0; i + 1 < stamps.length; i += 2) [stamps[i], stamps[i + 1]] = [stamps[i + 1]!, stamps[i]!];
  },
  /** What was there before. */
  stale: (stamps) => void stamps.fill(123_456_789n),
  /** Zeros, as of queries that nobody wrote. */
  missing: (stamps) => void stamps.fill(0n),
  random: (stamps) => {
    for (let i = 0; i < stamps.length; i++) stamps[i] = BigInt(Math.floor(2 ** 53 * random()));
  },
};
const random = seededUniform(1);

/** A tuning by such a clock: the kernels before and after it, and how the outputs differ. */
export async function byClock({ clock }: { clock: string }) {
  const { getMappedRange } = GPUBuffer.prototype;
  let read = 0;
  GPUBuffer.prototype.getMappedRange = function (...range) {
    const mapped = getMappedRange.apply(this, range);
    if (this.label !== 'readback of timestamps') return mapped;
    read++;
    const stamps = new BigUint64Array(mapped.slice(0));
    clocks[clock]!(stamps);
    return stamps.buffer;
  };
  try {
    const model = await load(smallNetwork(), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const { kernels: shipped } = await model.tune({ budgetMs: 0, cache: null });
    const before = await model.run(inputs);
    const { kernels } = await model.tune({ budgetMs: 500, cache: null });
    const after = await model.run(inputs);
    const differences = Object.entries(before).map(([output, values]) => compareOutputs(after[output]!, values).nmse);
    model.dispose();
    return { read, shipped, kernels, most: Math.max(...differences) };
  } finally {
    GPUBuffer.prototype.getMappedRange = getMappedRange;
  }
}

/** An adapter whose compiler refuses every shader with one of its features. */
export async function refusing({ directive }: { directive: string }) {
  const { createShaderModule } = GPUDevice.prototype;
  let refused = 0;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const has = descriptor.code.includes(directive);
    if (has) refused++;
    return createShaderModule.call(this, has ? { ...descriptor, code: `${descriptor.code}\nnothing` } : descriptor);
  };
  try {
    const model = await load('v1-0.25-32', { device: 'webgpu', tuning: 'off' });
    const inputs = seededInputs(model.graph);
    await model.tune({ budgetMs: 500, cache: null });
    const { nmse } = compareOutputs((await model.run(inputs)).logits!, (await model.runReference(inputs)).logits!);
    model.dispose();
    return { refused, nmse };
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
}

/** Models on devices that allow as little as WebGPU promises, or less. */
import { buildArchitecture } from '../../src/architectures/index.ts';
import { load, type Model, type PlanOption, seededInputs } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { type Limits, onLimited } from '../support/limited-gpu.ts';

/** How far a model's outputs are from the reference's: at first, and after a tuning that tries every kernel it has time for. */
export async function run({ limits, id, plan }: { limits: Limits; id: string; plan: PlanOption }) {
  return onLimited(limits, async (opened) => {
    const model = await load(id, { device: 'webgpu', plan, tuning: 'off', selfCheck: 'always' });
    try {
      const inputs = seededInputs(model.graph, 3);
      const expected = await model.runReference(inputs);
      const distance = async (own: Model) => compareOutputs((await own.run(inputs)).logits!, expected.logits!).nmse;
      const first = await distance(model);
      const { refused, layers } = await model.tune({ budgetMs: 150, cache: null });
      const picture = { width: 40, height: 30, data: new Uint8Array(4 * 40 * 30).fill(100) };
      await model.classify(picture, { image: 'zeroToOne' });
      const validated = plan === 'fused' ? await model.validate(inputs, { plan }) : null;
      const invocations = opened.map((device) => device.limits.maxComputeInvocationsPerWorkgroup);
      return {
        ...{ first, tuned: await distance(model), planKind: model.planKind, report: model.report, invocations },
        measured: layers.length,
        validated: validated && [validated.plan, validated.ok],
        refused: refused.map(({ kernel, reason }) => `${kernel}: ${reason.split('\n')[0]}`),
      };
    } finally {
      model.dispose();
    }
  });
}

/** What is said of a model that is too large, the bytes of the largest buffer made for it, and those written. */
export async function tooLarge({ limits, id, size }: { limits: Limits; id: string; size: number }) {
  const graph = buildArchitecture(id);
  const inputs = graph.inputs.map((input) => ({ ...input, shape: [1, size, size, 3] as const }));
  const { createBuffer } = GPUDevice.prototype;
  const { writeBuffer } = GPUQueue.prototype;
  let [largest, written] = [0, 0];
  GPUDevice.prototype.createBuffer = function (descriptor) {
    largest = Math.max(largest, descriptor.size);
    return createBuffer.call(this, descriptor);
  };
  GPUQueue.prototype.writeBuffer = function (...call: Parameters<typeof writeBuffer>) {
    written += call[2].byteLength;
    return writeBuffer.apply(this, call);
  };
  try {
    const said = await onLimited(limits, () =>
      load({ ...graph, inputs }, { device: 'webgpu', plan: 'unfused', tuning: 'off' }).then(
        () => 'nothing',
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    );
    return { said, largest, written };
  } finally {
    Object.assign(GPUDevice.prototype, { createBuffer });
    Object.assign(GPUQueue.prototype, { writeBuffer });
  }
}

/** What the wrapper says where a device is asked for more than it has. */
export async function asked({ limits }: { limits: Limits }) {
  const refusal = (work: () => unknown) =>
    Promise.resolve()
      .then(work)
      .then(
        () => 'nothing',
        (error: Error) => error.message,
      );
  return onLimited(limits, async () => {
    const adapter = (await navigator.gpu.requestAdapter({ featureLevel: 'compatibility' }))!;
    const more = await refusal(() => adapter.requestDevice({ requiredLimits: { maxBufferSize: 2 ** 29 } }));
    const device = await adapter.requestDevice();
    const compile = (code: string) =>
      device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
      });
    const said = [
      more,
      await refusal(() => device.createBuffer({ label: 'large', size: 2 ** 29, usage: 128 })),
      await refusal(() => compile('override X: u32 = 256; @compute @workgroup_size(X) fn main() {}')),
      await refusal(() => compile('const X = 64; const Y = 2; @compute @workgroup_size(X, Y) fn main() {}')),
    ];
    device.destroy();
    return said;
  });
}

import { load, type PlanKind, type ValidationReport } from '../index.ts';

/** In the browser: loads a model (an id or an address) and validates it on WebGPU. */
export async function validateModel({ source, plan }: { source: string; plan: PlanKind }): Promise<ValidationReport> {
  const model = await load(source, {
    device: 'webgpu',
    plan,
    onProgress: ({ stage, done, total }) => globalThis.reportProgress(`${stage} ${done}/${total}        `),
  });
  try {
    return await model.validate(undefined, {
      onLayer: (done, total) => globalThis.reportProgress(`layer ${done}/${total}        `),
    });
  } finally {
    model.dispose();
  }
}

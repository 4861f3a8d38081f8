import { type LoadOptions, load, type PlanKind, type ValidationReport } from '../index.ts';

/** In the browser: loads a model (an id or an address) and validates it on WebGPU. */
export async function validateModel({
  source,
  plan,
  inputShapes,
  precision,
}: {
  source: string;
  plan: PlanKind;
} & Pick<LoadOptions, 'inputShapes' | 'precision'>): Promise<ValidationReport> {
  const model = await load(source, {
    device: 'webgpu',
    plan,
    ...(inputShapes ? { inputShapes } : {}),
    ...(precision ? { precision } : {}),
    onProgress: ({ stage, done, total }) => {
      const parts = stage === 'fetch' ? `${Math.round(done / 1e3)}/${Math.round(total / 1e3)} kB` : `${done}/${total}`;
      globalThis.reportProgress(`${stage} ${parts}        `);
    },
  });
  try {
    return await model.validate(undefined, {
      onLayer: (done, total) => globalThis.reportProgress(`layer ${done}/${total}        `),
    });
  } finally {
    model.dispose();
  }
}

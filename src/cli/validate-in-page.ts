import { type LoadOptions, load, type ValidationReport } from '../index.ts';

/** In the browser: loads a model (an id or an address) and validates it on WebGPU. */
export async function validateModel({
  source,
  ...options
}: { readonly source: string } & Pick<
  LoadOptions,
  'plan' | 'precision' | 'weights' | 'inputShapes'
>): Promise<ValidationReport> {
  const model = await load(source, {
    ...options,
    device: 'webgpu',
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

import { load, type ValidationReport } from '../../src/index.ts';

/** In the browser: every layer of a file on the GPU against the reference, on a picture. */
export async function validateFile({
  file,
  name,
  picture,
}: {
  file: Uint8Array;
  name: string;
  picture: Float32Array;
}): Promise<ValidationReport> {
  const model = await load(file, { name, device: 'webgpu', tuning: 'off' });
  try {
    return await model.validate(picture);
  } finally {
    model.dispose();
  }
}

import { loadAndCompile, Tensor } from '@litertjs/core';
import { load } from '../../src/index.ts';
import { startLiteRt } from './litert-in-page.ts';

export interface Scores {
  readonly jspi: boolean;
  /** Of each picture. */
  readonly ours: readonly Float32Array[];
  readonly liteRt: readonly Float32Array[];
}

/** In the browser: the scores of this engine on WebGPU, and of LiteRT.js on WebAssembly. `fed`: what LiteRT.js takes. */
export async function scoresOfBoth({
  file,
  wasm,
  dims,
  pictures,
  fed,
}: {
  file: Uint8Array;
  wasm: string;
  dims: readonly number[];
  pictures: readonly Float32Array[];
  fed: readonly (Float32Array | Uint8Array)[];
}): Promise<Scores> {
  const jspi = await startLiteRt(wasm);
  const peer = await loadAndCompile(file.slice(), { accelerator: 'wasm' });
  const liteRt: Float32Array[] = [];
  for (const data of fed) {
    const input = new Tensor(data as Float32Array, [...dims]);
    const [output] = await peer.run([input]);
    liteRt.push(Float32Array.from(output!.toTypedArray() as Float32Array));
    input.delete();
    output!.delete();
  }
  peer.delete();
  const model = await load(file, { device: 'webgpu', tuning: 'off' });
  try {
    const ours: Float32Array[] = [];
    for (const picture of pictures) ours.push(Object.values(await model.run(picture))[0]!);
    return { jspi, ours, liteRt };
  } finally {
    model.dispose();
  }
}

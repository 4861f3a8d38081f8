import { loadAndCompile, loadLiteRt, supportsFeature, Tensor } from '@litertjs/core';

/** Of the page: a module that another file of tests has fetched again would start LiteRT.js twice, which it refuses. */
const page = globalThis as { liteRtReady?: Promise<boolean> };

/** Starts LiteRT.js, once a page. Whether it runs with JSPI: it is asked for wherever the browser has it. */
export function startLiteRt(wasm: string): Promise<boolean> {
  page.liteRtReady ??= (async () => {
    const jspi = await supportsFeature('jspi');
    await loadLiteRt(wasm, { jspi }).catch((error: Error) => {
      if (!/already load/.test(error.message)) throw error;
    });
    return jspi;
  })();
  return page.liteRtReady;
}

/**
 * In the browser: outputs of a TensorFlow Lite file in LiteRT.js on WebGPU, by name; what that does not run there is left
 * to WebAssembly, which JSPI suspends. `runtime` is the address of the package's folder `wasm`.
 */
export async function liteRtOnWebGpu({
  runtime,
  model: address,
  input,
  dims,
}: {
  runtime: string;
  model: string;
  input: Uint8Array<ArrayBuffer>;
  dims: readonly number[];
}): Promise<Record<string, Float32Array>> {
  await startLiteRt(`${runtime}/`);
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const model = await loadAndCompile(bytes, { accelerator: 'webgpu', gpuOptions: { precision: 'fp32' } });
  if (model.options.accelerator !== 'webgpu') throw new Error('LiteRT.js fell back to WebAssembly');
  const tensor = new Tensor(input, [...dims]);
  const names = model.getOutputDetails().map(({ name }) => name);
  const results = await model.run([tensor]);
  tensor.delete();
  const found: Record<string, Float32Array> = {};
  for (const [i, result] of results.entries()) {
    const moved = await result.moveTo('wasm');
    found[names[i]!] = Float32Array.from(moved.toTypedArray() as Float32Array);
    moved.delete();
  }
  model.delete();
  return found;
}

/** LiteRT.js on WebAssembly in Node: says what a TensorFlow Lite file means. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import type * as LiteRt from '@litertjs/core';
import type { OracleTensor } from './oracles.ts';

let runtime: Promise<typeof LiteRt> | undefined;

/** The package is made for pages and workers; of a worker it uses `self` and `importScripts`. */
async function liteRt(): Promise<typeof LiteRt> {
  runtime ??= (async () => {
    const folder = join(dirname(fileURLToPath(import.meta.resolve('@litertjs/core'))), '../wasm');
    const silent = () => {};
    Object.assign(globalThis, {
      self: globalThis,
      importScripts: (path: string) => runInThisContext(readFileSync(path, 'utf8'), { filename: path }),
      require: createRequire(join(folder, 'none.js')),
      __dirname: folder,
      Module: {
        wasmBinary: readFileSync(join(folder, 'litert_wasm_compat_internal.wasm')),
        print: silent,
        printErr: silent,
      },
    });
    const module = await import('@litertjs/core');
    // It warns that there is no WebGPU.
    const { warn } = console;
    console.warn = silent;
    try {
      await module.loadLiteRt(join(folder, 'litert_wasm_compat_internal.js'));
    } finally {
      console.warn = warn;
    }
    return module;
  })();
  return runtime;
}

/** Every output of a TensorFlow Lite file, by name; inputs by name, float32 unless they say otherwise. */
export async function liteRtOutputs(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, OracleTensor>>,
): Promise<Record<string, OracleTensor>> {
  const { loadAndCompile, Tensor } = await liteRt();
  const model = await loadAndCompile(bytes, { accelerator: 'wasm' });
  try {
    const inputs = Object.entries(feeds).map(
      ([name, { dims, data, type }]) =>
        [name, new Tensor(type === 'uint8' ? Uint8Array.from(data) : data, [...dims])] as const,
    );
    const results = await model.run(Object.fromEntries(inputs));
    for (const [, tensor] of inputs) tensor.delete();
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => {
        const found = { dims: [...tensor.type.layout.dimensions], data: tensor.toTypedArray() as Float32Array };
        tensor.delete();
        return [name, found];
      }),
    );
  } finally {
    model.delete();
  }
}

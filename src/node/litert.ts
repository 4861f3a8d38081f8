import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import type { CpuEngine, CpuFiles } from '../cpu/engine.ts';
import { liteRtBy } from '../cpu/litert.ts';
import type { LiteRtFactory } from '../cpu/litert-module.ts';

/** LiteRT.js in Node, from `files` or the package @litertjs/core; null where that is not installed. */
export function nodeLiteRt(files?: CpuFiles): CpuEngine | null {
  const folder = files ?? installedFolder();
  return folder === null ? null : liteRtBy(folder, factory);
}

function installedFolder(): string | null {
  try {
    return new URL('../wasm/', import.meta.resolve('@litertjs/core')).href;
  } catch {
    return null;
  }
}

/** Its script is of CommonJS, in a package of modules. */
async function factory(address: string): Promise<LiteRtFactory> {
  const path = fileURLToPath(address);
  const module = { exports: {} };
  const names = ['exports', 'module', 'require', '__filename', '__dirname'];
  const run = compileFunction(await readFile(path, 'utf8'), names, { filename: path });
  run(module.exports, module, createRequire(path), path, dirname(path));
  return module.exports as unknown as LiteRtFactory;
}

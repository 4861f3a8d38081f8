import { isArchitectureId } from './architectures/id.ts';
import { isCatalogueId } from './catalogue/id.ts';
import type { CpuFiles } from './cpu/engine.ts';
import { trustedScriptUrl } from './cpu/trusted-script-url.ts';
import { UsageError } from './errors.ts';
import type { ModelSource, WorkerLoadOptions } from './load-options.ts';
import { isRereadable } from './rereadable.ts';
import { ModelInWorker, WorkerCalls, type WorkerModel } from './worker-model.ts';

/** Loads a model in a worker of its own. Throws as `load` does, `UsageError` where there is no worker to be had. */
export async function loadInWorker(source: ModelSource, options: WorkerLoadOptions): Promise<WorkerModel> {
  const { worker, cpu, ...others } = options;
  for (const name of ['gpu', 'gpuDevice'] as const) {
    if (options[name])
      throw new UsageError(`the option "${name}" is an object of this page, and the model is in a worker`);
  }
  if (options.tuningCache) {
    throw new UsageError(
      'the option "tuningCache" is an object of this page: in a worker the browser\'s own is used, or null',
    );
  }
  if (options.reload) {
    throw new UsageError(
      'the option "reload" is a function of this page, and the model is in a worker: give an address or files',
    );
  }
  if (options.keepWeights === false && !isRereadable(source)) {
    throw new UsageError(
      'the model comes from memory, and "keepWeights" is false: in a worker that is for an address or files, which it reads again',
    );
  }
  if (typeof cpu === 'object' && 'open' in cpu) {
    throw new UsageError('the option "cpu" is an engine of this page: say where its files are');
  }
  options.signal?.throwIfAborted();
  const calls = new WorkerCalls(await startWorker(worker));
  try {
    const model = new ModelInWorker(calls);
    await calls.call('load', [absolute(source), { ...others, cpu: absoluteFiles(cpu) }]);
    return model;
  } catch (error) {
    calls.end(error);
    throw error;
  }
}

/** A worker has an address of its own: what is relative to the page's is made absolute. Names and ids stay. */
function absolute<T>(value: T): T | string {
  if (value instanceof URL) return value.href;
  if (typeof value !== 'string' || isArchitectureId(value) || isCatalogueId(value)) return value;
  return new URL(value, base()).href;
}

const absoluteFiles = (files: CpuFiles | false | undefined): CpuFiles | false | undefined =>
  typeof files !== 'object' || files instanceof URL
    ? absolute(files)
    : Object.fromEntries(Object.entries(files).map(([name, file]) => [name, absolute(file)]));

const base = (): string => globalThis.document?.baseURI ?? location.href;

const asModule = { type: 'module', name: 'mobilenet-webgpu' } as const;

/** Where the worker's file is, beside the module of this function by its name; bundlers give that another. */
const beside: readonly (readonly [RegExp, string])[] = [
  [/\/src\/worker-client\.ts$/, './worker.ts'],
  [/\/worker-client\.js$/, './worker.js'],
  [/\/cdn\/mobilenet-webgpu\.js$/, '../worker.js'],
];

async function startWorker(stated: WorkerLoadOptions['worker']): Promise<Worker> {
  if (stated instanceof Worker) return stated;
  if (stated !== true) return start(new URL(stated, base()).href);
  const here = import.meta.url;
  const file = beside.find(([pattern]) => pattern.test(new URL(here).pathname))?.[1];
  if (!file) return startText((await import('./worker-text.ts')).default);
  const address = new URL(file, here).href;
  return new URL(address).origin === location.origin ? start(address) : startText(`import ${JSON.stringify(address)};`);
}

const start = (address: string): Worker => new Worker(trustedScriptUrl(address) as string, asModule);

function startText(text: string): Worker {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = start(address);
  // It has been fetched once the worker answers, or has failed.
  const free = () => URL.revokeObjectURL(address);
  worker.addEventListener('message', free, { once: true });
  worker.addEventListener('error', free, { once: true });
  return worker;
}

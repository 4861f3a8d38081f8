/** What the page's side of a worker does before anything is posted. */
import { afterEach, expect, it, vi } from 'vitest';
import * as errors from '../../src/errors.ts';
import type { WorkerLoadOptions } from '../../src/load-options.ts';
import { loadInWorker } from '../../src/worker-client.ts';
import { putTogether, takeApart } from '../../src/worker-crossing.ts';
import { ModelInWorker, WorkerCalls } from '../../src/worker-model.ts';

afterEach(() => void vi.unstubAllGlobals());

class FakeWorker {
  posted: { readonly args: readonly unknown[] }[] = [];
  onerror: (event: unknown) => void = () => {};
  postMessage(call: { readonly args: readonly unknown[] }): void {
    this.posted.push(call);
    queueMicrotask(() => this.onerror({ preventDefault() {}, message: 'ended' }));
  }
  terminate(): void {}
}

it('files of the CPU engine are those of the page, as a folder and by their names', async () => {
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('location', new URL('https://page.test/app/'));
  const cpuOf = async (cpu: WorkerLoadOptions['cpu']) => {
    const worker = new FakeWorker();
    await expect(loadInWorker('v1-0.25-32', { worker: worker as never, cpu })).rejects.toThrow('ended');
    return (worker.posted[0]!.args[1] as { cpu: unknown }).cpu;
  };
  expect(await cpuOf('wasm/')).toBe('https://page.test/app/wasm/');
  expect(await cpuOf(new URL('https://other.test/wasm/'))).toBe('https://other.test/wasm/');
  expect(await cpuOf({ 'a.wasm': 'wasm/a.wasm', 'b.js': 'https://other.test/b.js' })).toEqual({
    'a.wasm': 'https://page.test/app/wasm/a.wasm',
    'b.js': 'https://other.test/b.js',
  });
  expect(await cpuOf(false)).toBe(false);
});

it('weights that are not kept are read again from addresses and files, and nothing else is taken for it', async () => {
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('location', new URL('https://page.test/app/'));
  const graph = { name: 'none', inputs: [], outputs: [], nodes: [] };
  for (const source of [new Uint8Array(4), new ArrayBuffer(4), graph]) {
    const worker = new FakeWorker();
    const refused = loadInWorker(source, { worker: worker as never, keepWeights: false });
    await expect(refused).rejects.toThrow(errors.UsageError);
    await expect(refused).rejects.toThrow('"keepWeights" is false');
    expect(worker.posted).toEqual([]);
  }
  for (const source of ['model.tflite', new Blob(), [new File([], 'model.json')]]) {
    const worker = new FakeWorker();
    await expect(loadInWorker(source, { worker: worker as never, keepWeights: false })).rejects.toThrow('ended');
    expect(worker.posted).toHaveLength(1);
  }
});

it('frames made to be handed over are closed where they are not', async () => {
  let open = 0;
  class Frame {
    clone(): Frame {
      open++;
      return new Frame();
    }
    close(): void {
      open--;
    }
  }
  vi.stubGlobal('VideoFrame', Frame);
  const worker = new FakeWorker();
  const calls = new WorkerCalls(worker as never);
  const model = new ModelInWorker(calls);
  const frame = new Frame() as never;
  await expect(model.classify(frame, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  expect(open).toBe(0);
  await expect(model.classify([frame, { createView() {} } as never, frame] as never)).rejects.toThrow('GPUTexture');
  expect(open).toBe(0);
  calls.end(new Error('over'));
  await expect(model.classify(frame)).rejects.toThrow('over');
  expect([open, worker.posted.length]).toEqual([0, 0]);
});

it.each(Object.entries(errors))('a %s of a worker is one in the page', (name, thrown) => {
  const made = Reflect.construct(Error, ['what was found'], thrown) as Error;
  const crossed = putTogether(structuredClone(takeApart(Object.assign(made, { name }))));
  expect(Object.getPrototypeOf(crossed)).toBe(thrown.prototype);
  expect((crossed as Error).message).toBe('what was found');
});

/** Memory of a model that is used for long in Node, on Dawn, and of models that come and go. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { openNodeGpu } from '../../src/node/index.ts';
import { suite } from '../support/suite.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const heap = async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

it('is after 10,000 inferences what it was after 1,000, and none after 200 models', {
  timeout: 1_800_000,
}, async (context) => {
  if (suite !== 'full') context.skip('left to "npm run test:full"');
  const { gpu, reason } = await openNodeGpu();
  if (!gpu) context.skip(reason);
  const name = 'webgpu';
  const { globals } = await import(/* @vite-ignore */ name);
  // What a page has.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  const { begin, cycles, end, infer } = await import('../device/growth-in-page.ts');
  await begin({ id: 'v1-0.25-128' });
  const before = { gpu: await infer({ count: 1000 }), heap: await heap() };
  const after = { gpu: await infer({ count: 9000 }), heap: await heap() };
  process.stdout.write(
    `Node: ${before.gpu} and ${after.gpu} bytes of the GPU, heap ${before.heap} and ${after.heap} bytes after 1,000 and 10,000 inferences\n`,
  );
  expect(after.gpu).toBe(before.gpu);
  expect(after.heap).toBeLessThanOrEqual(before.heap + 1e6);
  expect(end()).toBe(0);
  expect(await cycles({ count: 200 })).toBe(0);
});

/** A lost device in Node, on Dawn. */
import { expect, it } from 'vitest';
import { openNodeGpu } from '../../src/node/index.ts';
import { stages } from '../device/loss-stages.ts';
import { documented, inWords, type Outcome } from '../device/loss-table.ts';

it('gives way to another at each stage, with the same bits, and nothing is left of it', async (context) => {
  const { gpu, reason } = await openNodeGpu();
  if (!gpu) context.skip(reason);
  const name = 'webgpu';
  const { globals } = await import(/* @vite-ignore */ name);
  // What a page has.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  const { destroyedAt } = await import('../device/loss-in-page.ts');
  for (const stage of stages) {
    const tunes = ['trial of a kernel', 'plan taken up'].includes(stage);
    expect(inWords((await destroyedAt({ stage, tunes })) as Outcome), stage).toBe(documented(stage, 'Node on Dawn'));
  }
});

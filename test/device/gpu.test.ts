import { expect, it } from 'vitest';
import { openGpu } from '../../src/device/gpu.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

it('takes an adapter for older graphics APIs where there is no other', async () => {
  const fake = new FakeGpu();
  const { gpu } = fake;
  const asked: unknown[] = [];
  const requestAdapter = async (options: GPURequestAdapterOptions) => {
    asked.push(options);
    return options.featureLevel === 'compatibility' ? gpu.requestAdapter() : null;
  };
  await openGpu({ gpu: { requestAdapter } as never, powerPreference: 'low-power' });
  expect(asked).toEqual([
    { powerPreference: 'low-power' },
    { powerPreference: 'low-power', featureLevel: 'compatibility' },
  ]);
  expect(fake.opened).toBe(1);
});

import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { compatibility, usual } from '../support/limited-gpu.ts';
import { browsers, suite } from '../support/suite.ts';
import type * as page from './limits-in-page.ts';

const devices = { "compatibility mode's": compatibility, "WebGPU's": usual };

const networks = ['v1-0.25-64', 'v2-0.35-64', 'v3-small-0.5-64'];

type Case = readonly [name: keyof typeof devices, id: string, plan: 'auto' | 'fused'];

const all = (Object.keys(devices) as Case[0][]).flatMap((name) =>
  networks.flatMap((id): Case[] => [
    [name, id, 'auto'],
    [name, id, 'fused'],
  ]),
);

const some: readonly Case[] = [
  ["compatibility mode's", 'v1-0.25-64', 'fused'],
  ["compatibility mode's", 'v2-0.35-64', 'auto'],
  ["compatibility mode's", 'v3-small-0.5-64', 'auto'],
  ["WebGPU's", 'v3-small-0.5-64', 'auto'],
];

/** A phone of compatibility mode with less memory than any device has: what is too large shows with small buffers. */
const little = { ...compatibility, maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 16 };

describe.each(browsers)('a device of the least limits, in %s', (browser) => {
  const call = async <Name extends keyof typeof page>(name: Name, argument: Parameters<(typeof page)[Name]>[0]) =>
    (await enginePage(browser)).call<Awaited<ReturnType<(typeof page)[Name]>>>(
      '/test/device/limits-in-page.ts',
      name,
      argument,
    );

  it('is one by its wrapper, which refuses more', async () => {
    expect(await call('asked', { limits: compatibility })).toEqual([
      'maxBufferSize: 536870912 is more than 268435456',
      'buffer large: 536870912, more than maxBufferSize (268435456)',
      expect.stringContaining('workgroups: 256, more than maxComputeWorkgroupSizeX (128)'),
      'nothing',
    ]);
  });

  it.each(suite === 'full' ? all : some)(
    '%s: %s, plan %s, is right from the first result on',
    async (name, id, plan) => {
      const limits = devices[name];
      const { first, tuned, report, planKind, invocations, measured, validated } = await call('run', {
        ...{ limits, id, plan },
      });
      expect(first).toBeLessThan(1e-10);
      expect(tuned).toBeLessThan(1e-10);
      expect(report).toContain('self-check passed');
      const small = limits.maxComputeInvocationsPerWorkgroup === 128;
      expect(planKind).toBe(plan === 'fused' && !small ? 'fused' : 'unfused');
      if (plan === 'fused') expect(validated).toEqual([planKind, true]);
      expect([...new Set(invocations)]).toEqual([limits.maxComputeInvocationsPerWorkgroup]);
      if (plan === 'auto') expect(measured).toBeGreaterThan(0);
    },
  );

  it.each([
    {
      limits: usual,
      size: 8192,
      needs: /of \[1,8192,8192,3\] needs (805306368|1073741824) bytes, more than the 134217728 /,
    },
    { limits: little, size: 64, needs: /of \[1,32,32,32\] needs 131072 bytes, more than the 65536 / },
  ])(
    'a picture of $size pixels is too large for it, which is said before anything of the network is uploaded',
    async ({ needs, ...of }) => {
      const { said, largest, written } = await call('tooLarge', { ...of, id: 'v1-1.0-224' });
      expect(said).toMatch(/^DeviceError: .*\(maxStorageBufferBindingSize\); use smaller pictures/);
      expect(said).toMatch(needs);
      expect(largest).toBeLessThan(2 ** 20);
      expect(written).toBeLessThan(2 ** 20);
    },
  );
});

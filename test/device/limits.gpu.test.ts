import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { compatibility, usual } from '../support/limited-gpu.ts';
import { browsers } from '../support/suite.ts';
import type * as page from './limits-in-page.ts';

const networks = ['v1-0.25-64', 'v2-0.35-64', 'v3-small-0.5-64'];

/** A phone of compatibility mode with less memory than any device has: what is too large shows with small buffers. */
const little = { ...compatibility, maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 18 };

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

  it.each(
    [
      { name: "compatibility mode's", limits: compatibility },
      { name: "WebGPU's", limits: usual },
    ].flatMap(({ name, limits }) =>
      networks.flatMap((id) => (['auto', 'fused'] as const).map((plan) => ({ name, limits, id, plan }))),
    ),
  )('$name: $id, plan $plan, is right from the first result on', async ({ limits, id, plan }) => {
    const { first, tuned, report, planKind, invocations, measured } = await call('run', { limits, id, plan });
    expect(first).toBeLessThan(1e-10);
    expect(tuned).toBeLessThan(1e-10);
    expect(report).toContain('self-check passed');
    const small = limits.maxComputeInvocationsPerWorkgroup === 128;
    expect(planKind).toBe(plan === 'fused' && !small ? 'fused' : 'unfused');
    expect([...new Set(invocations)]).toEqual([limits.maxComputeInvocationsPerWorkgroup]);
    if (plan === 'auto') expect(measured).toBeGreaterThan(0);
  });

  it.each([
    {
      limits: usual,
      id: 'v1-0.25-8192',
      needs:
        /tensor "\S+" of \[1,4096,4096,8\] needs 536870912 bytes, more than the 134217728 .*maxStorageBufferBindingSize/,
    },
    {
      limits: little,
      id: 'v1-1.0-64',
      needs: /a weight of node "\S+" needs \d+ bytes, more than the 262144 .*maxStorageBufferBindingSize/,
    },
  ])('$id is too large for it, which is said before anything of it is uploaded', async ({ limits, id, needs }) => {
    const { said, largest, written } = await call('tooLarge', { limits, id });
    expect(said).toMatch(/^DeviceError: .*(smaller pictures|smaller model)/);
    expect(said).toMatch(needs);
    expect(largest).toBeLessThan(2 ** 20);
    expect(written).toBeLessThan(2 ** 20);
  });
});

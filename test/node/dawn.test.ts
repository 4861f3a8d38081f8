import { existsSync } from 'node:fs';
import { platform } from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openDawn } from '../../src/node/gpu.ts';

vi.mock('node:fs', async (original) => ({ ...(await original<object>()), existsSync: vi.fn() }));
vi.mock('node:os', async (original) => ({ ...(await original<object>()), platform: vi.fn() }));

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** The drivers that Dawn was told to use each time that it was opened, and what it found; null: the system's. */
async function opened(files: readonly string[], works: (driver: string | null) => boolean) {
  vi.mocked(existsSync).mockImplementation((path) => files.includes(String(path)));
  const drivers: (string | null)[] = [];
  const runtimeFolders = new Set<string | undefined>();
  const result = await openDawn(() => {
    const driver = process.env.VK_DRIVER_FILES || null;
    drivers.push(driver);
    runtimeFolders.add(process.env.XDG_RUNTIME_DIR);
    return { requestAdapter: async () => (works(driver) ? {} : null) } as GPU;
  });
  return { drivers, found: result.gpu !== null, reason: result.reason, runtimeFolders: [...runtimeFolders] };
}

beforeEach(() => {
  vi.mocked(platform).mockReturnValue('linux');
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'XDG_RUNTIME_DIR']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

it('asks no driver that would only warn where Linux shows no GPU, and gives Mesa the folder that it misses', async () => {
  const { drivers, found, runtimeFolders } = await opened([swiftShader], (driver) => driver === swiftShader);
  expect(drivers).toEqual([swiftShader]);
  expect(found).toBe(true);
  expect(runtimeFolders).toEqual([expect.any(String)]);
});

it.each(['/dev/dri', '/dev/dxg', '/dev/nvidiactl'])(
  'asks the drivers of the system first where there is %s',
  async (node) => {
    expect((await opened([swiftShader, node], (driver) => driver === null)).drivers).toEqual([null]);
    expect((await opened([swiftShader, node], (driver) => driver === swiftShader)).drivers).toEqual([
      null,
      swiftShader,
    ]);
  },
);

it('leaves a driver that the user chose alone', async () => {
  vi.stubEnv('VK_DRIVER_FILES', '/mine.json');
  const { drivers, found, reason } = await opened([swiftShader], () => false);
  expect(drivers).toEqual(['/mine.json']);
  expect([found, reason]).toEqual([false, 'Dawn found no GPU and no software driver']);
});

it('says what it tried', async () => {
  const { drivers, reason } = await opened([swiftShader], () => false);
  expect(drivers).toEqual([swiftShader, null]);
  expect(reason).toBe(`Dawn found no GPU, nor one by ${swiftShader}`);
});

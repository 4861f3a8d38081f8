/** What is missing is installed only after it was said, and with `--no-install` never: the command is given instead. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ensureBrowser } from '../../src/cli/find-browsers.ts';
import { DeviceError, UsageError } from '../../src/errors.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, existsSync: vi.fn(fs.existsSync) };
});
vi.mock('node:child_process', async (original) => {
  const processes = await original<typeof import('node:child_process')>();
  return { ...processes, spawnSync: vi.fn(processes.spawnSync) };
});
vi.mock('@puppeteer/browsers', async (original) => ({
  ...(await original<object>()),
  resolveBuildId: async () => {
    done.push('download');
    throw new Error('no network here');
  },
}));

/** What is said, and what is started, in order. */
const done: string[] = [];
const log = (message: string) => done.push(message);
let folder: string;

/** A system without a browser, with apt-get or without. */
function bareSystem(apt: boolean): void {
  vi.mocked(existsSync).mockImplementation((path) => apt && path === '/usr/bin/apt-get');
  vi.mocked(spawnSync).mockImplementation((command, args) => {
    done.push([command, ...(args as string[])].join(' '));
    return { status: 1, stderr: 'no mirror' } as never;
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'no-install-'));
  done.length = 0;
  for (const name of ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH', 'FIREFOX_PATH']) vi.stubEnv(name, '');
  vi.stubEnv('PUPPETEER_CACHE_DIR', join(folder, 'cache'));
});

afterEach(() => {
  vi.mocked(existsSync).mockReset();
  vi.mocked(spawnSync).mockReset();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it.each([
  ['chrome', /Chrome or Chromium was not found, and --no-install is set.*apt-get install chromium"/],
  ['firefox', /Firefox was not found, and --no-install is set.*apt-get install firefox-esr/],
] as const)('%s: refuses with the command, and starts nothing', async (browser, says) => {
  bareSystem(true);
  const error = await ensureBrowser(browser, log, { install: false }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(says);
  expect((error as Error).message).toContain(`npx @puppeteer/browsers install ${browser}@stable`);
  expect(done).toEqual([]);
});

it('says what it installs and where before it does, and why that failed', async () => {
  const root = platform() === 'linux' && process.getuid?.() === 0;
  bareSystem(root);
  const error = await ensureBrowser('chrome', log).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toMatch(/the download failed: no network here/);
  const byApt = ['installing chromium into this system by apt-get …'];
  if (root) expect(done.slice(0, 1)).toEqual(byApt);
  expect(done.slice(-2)).toEqual([`downloading chrome into ${join(folder, 'cache')} …`, 'download']);
});

it('bench names the peers that are missing, and the command', async () => {
  const { existsSync: exists } = await vi.importActual<typeof import('node:fs')>('node:fs');
  const { spawnSync: spawn } = await vi.importActual<typeof import('node:child_process')>('node:child_process');
  mkdirSync(join(folder, 'bench'));
  mkdirSync(join(folder, 'src', 'cli'), { recursive: true });
  for (const name of ['run.mjs', 'package.json', 'package-lock.json']) {
    cpSync(join('bench', name), join(folder, 'bench', name));
  }
  // In place of the bench itself.
  writeFileSync(join(folder, 'src/cli/run-command.mjs'), 'export const runCommand = () => process.exit(0);');
  const { status, stderr } = spawn(process.execPath, [join(folder, 'bench/run.mjs'), '--no-install'], {
    encoding: 'utf8',
  });
  expect(stderr).toMatch(
    /onnxruntime-web \d.*--no-install is set\. Install them: npm ci --ignore-scripts.*--prefix bench/,
  );
  expect(status).toBe(2);
  expect(exists(join(folder, 'bench/node_modules'))).toBe(false);
});

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { DeviceError, UsageError } from '../errors.ts';

export type BrowserName = 'chrome' | 'firefox';

export const browserNames: readonly BrowserName[] = ['chrome', 'firefox'];

/** Environment variables that name an executable, the first that is set wins. */
const variables: Readonly<Record<BrowserName, readonly string[]>> = {
  chrome: ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH'],
  firefox: ['FIREFOX_PATH'],
};

/** Names of executables that Linux systems have on the PATH. */
const commands: Readonly<Record<BrowserName, readonly string[]>> = {
  chrome: ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'],
  firefox: ['firefox', 'firefox-esr'],
};

const applications: Readonly<Record<BrowserName, Readonly<Record<string, readonly string[]>>>> = {
  chrome: {
    darwin: [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
    win32: [
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
    ],
  },
  firefox: {
    darwin: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
    win32: ['C:\\Program Files\\Mozilla Firefox\\firefox.exe'],
  },
};

const debianPackages: Readonly<Record<BrowserName, string>> = { chrome: 'chromium', firefox: 'firefox-esr' };

/** Mesa's software driver for Vulkan, on which Firefox runs WebGPU where there is no GPU. */
const vulkanPackage = 'mesa-vulkan-drivers';

/**
 * The executable of a browser, or null: environment, puppeteer's cache, usual places. Throws `UsageError` where a
 * variable names no file.
 */
export async function findBrowser(browser: BrowserName): Promise<string | null> {
  for (const variable of variables[browser]) {
    const path = process.env[variable];
    if (!path) continue;
    if (!existsSync(path)) throw new UsageError(`${variable} is "${path}", where there is no file`);
    return path;
  }
  return (await cachedBrowser(browser)) ?? usualPlaces(browser).find((path) => existsSync(path)) ?? null;
}

function usualPlaces(browser: BrowserName): readonly string[] {
  if (platform() !== 'linux') return applications[browser][platform()] ?? [];
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/snap/bin'].filter(Boolean);
  return commands[browser].flatMap((command) => folders.map((folder) => join(folder, command)));
}

function cacheFolder(): string {
  return process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), '.cache', 'puppeteer');
}

/** The newest build of a browser in puppeteer's cache, or null. */
async function cachedBrowser(browser: BrowserName): Promise<string | null> {
  // Without a cache its reader, which takes a while to load, is not needed.
  if (!existsSync(join(cacheFolder(), browser))) return null;
  const { getInstalledBrowsers } = await import('@puppeteer/browsers');
  const builds = (await getInstalledBrowsers({ cacheDir: cacheFolder() }))
    .filter((build) => build.browser === browser && existsSync(build.executablePath))
    .sort((a, b) => a.buildId.localeCompare(b.buildId, 'en', { numeric: true }));
  return builds.at(-1)?.executablePath ?? null;
}

const vulkanFolders = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** Whether Vulkan has a driver: Firefox on Linux has no WebGPU without one. */
function hasVulkan(): boolean {
  if (platform() !== 'linux' || process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return true;
  return vulkanFolders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

export interface InstallOptions {
  /** false: refuse to install what is missing. */
  readonly install?: boolean | undefined;
}

/** The help of `--no-install`. */
export const noInstallHelp = `A browser that is missing is installed, as it is said before: as root on Debian by apt-get, else into puppeteer's cache.
--no-install refuses that, with the command to run.`;

/**
 * The executable of a browser, installed first where that can be done: by apt-get as root on Debian, else into
 * puppeteer's cache; `log` is told what and where before. Throws `UsageError` where it is missing and may not be installed,
 * and `DeviceError` where it cannot; both say what to run.
 */
export async function ensureBrowser(
  browser: BrowserName,
  log: (message: string) => void,
  { install = true }: InstallOptions = {},
): Promise<string> {
  const lacksVulkan = () => browser === 'firefox' && !hasVulkan();
  const found = await findBrowser(browser);
  if (found && !lacksVulkan()) return found;

  const missing = [...(found ? [] : [debianPackages[browser]]), ...(lacksVulkan() ? [vulkanPackage] : [])];
  const advice = (installed: boolean) =>
    `on Debian "sudo apt-get install ${missing.join(' ')}", elsewhere from ` +
    (installed
      ? "the GPU's maker or Mesa"
      : `the browser's own site or by "npx @puppeteer/browsers install ${browser}@stable --path ${cacheFolder()}", or ` +
        `set ${variables[browser].join(' or ')}`);
  const nameOf = (installed: boolean) =>
    installed ? 'a Vulkan driver for Firefox' : browser === 'chrome' ? 'Chrome or Chromium' : 'Firefox';
  if (!install) {
    const what = nameOf(found !== null);
    throw new UsageError(`${what} was not found, and --no-install is set. Install it: ${advice(found !== null)}`);
  }
  const reasons: string[] = [];
  if (platform() === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    log(`installing ${missing.join(' and ')} into this system by apt-get …`);
    aptGet(['update'], log, reasons);
    // One by one: a system that lacks one of the packages may still have the other.
    for (const name of missing) aptGet(['install', '-y', '--no-install-recommends', name], log, reasons);
  }
  if (!(await findBrowser(browser))) {
    try {
      log(`downloading ${browser} into ${cacheFolder()} …`);
      await download(browser);
    } catch (error) {
      reasons.push(`the download failed: ${(error as Error).message}`);
    }
  }

  const installed = await findBrowser(browser);
  if (installed && !lacksVulkan()) return installed;
  throw new DeviceError(
    `${nameOf(installed !== null)} was not found and could not be installed ` +
      `(${reasons.join('; ') || 'no way is known here'}). Install it: ${advice(installed !== null)}`,
  );
}

function aptGet(args: readonly string[], log: (message: string) => void, reasons: string[]): void {
  log(`apt-get ${args.join(' ')} …`);
  const { status, error, stderr } = spawnSync('apt-get', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return;
  reasons.push(`"apt-get ${args.join(' ')}" failed: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
}

async function download(browser: BrowserName): Promise<void> {
  const { Browser, BrowserTag, detectBrowserPlatform, install, resolveBuildId } = await import('@puppeteer/browsers');
  const system = detectBrowserPlatform();
  if (!system) throw new Error(`no builds for ${platform()}`);
  const product = browser === 'chrome' ? Browser.CHROME : Browser.FIREFOX;
  const buildId = await resolveBuildId(product, system, BrowserTag.STABLE);
  await install({ browser: product, buildId, cacheDir: cacheFolder() });
}

import { execFile } from 'node:child_process';
import { arch, platform, release } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { openNodeGpu, version } from '../node/index.ts';
import { runInBrowser } from './browser-run.ts';
import { runToExitCode } from './command.ts';
import { type BrowserName, browserNames, findBrowser } from './find-browsers.ts';
import type { Io } from './io.ts';

const help = `usage: npm run doctor -- [--no-browser] [--json]

What WebGPU is here, as one block to paste into a report: versions, browsers, and of each adapter its name, features and limits.
--no-browser starts no browser.`;

function parse(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: { 'no-browser': { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  });
  return { browsers: !values['no-browser'], json: values.json };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

/** Where WebGPU may be: the adapter, or why there is none. */
interface Place {
  readonly where: string;
  readonly adapter: Adapter | null;
  readonly reason?: string;
}

interface Adapter {
  readonly name: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxTextureDimension2D',
] as const;

/** In Node, and by its text in a page: it must use nothing but what it is given. */
async function adapterOf(gpu: GPU | undefined, names: readonly string[]): Promise<Adapter | null> {
  const usual = await gpu?.requestAdapter();
  const adapter = usual ?? (await gpu?.requestAdapter({ featureLevel: 'compatibility' }));
  if (!adapter) return null;
  const { vendor, architecture, device, description } = adapter.info ?? {};
  const told = [vendor, architecture, device, description].filter(Boolean).join(' ');
  const limits = adapter.limits as unknown as Readonly<Record<string, number>>;
  return {
    name: (told || 'an adapter that does not name itself') + (usual ? '' : ', in compatibility mode'),
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(names.map((name) => [name, Number(limits[name])])),
  };
}

async function run({ browsers, json }: ReturnType<typeof parse>, io: Io): Promise<number> {
  const places: Place[] = [await inNode()];
  for (const browser of browserNames) places.push(await inBrowser(browser, browsers, io));
  const system = `${platform()} ${release()} ${arch()}`;
  const report = { version, node: process.version, system, places };
  io.stdout.write(json ? `${JSON.stringify(report)}\n` : describe(report));
  return places.some(({ adapter }) => adapter) ? 0 : 1;
}

async function inNode(): Promise<Place> {
  const { gpu, reason } = await openNodeGpu();
  const where = 'Node, by the package "webgpu"';
  if (!gpu) return { where, adapter: null, reason };
  return { where, adapter: await adapterOf(gpu, limits) };
}

async function inBrowser(browser: BrowserName, start: boolean, io: Io): Promise<Place> {
  try {
    const executable = await findBrowser(browser);
    if (!executable) return { where: browser, adapter: null, reason: 'was not found' };
    const where = `${await versionOf(executable)} (${executable})`;
    if (!start) return { where, adapter: null, reason: 'was not started' };
    io.stderr.write(`starting ${browser} …\n`);
    const script = `return (${adapterOf})(navigator.gpu, ${JSON.stringify(limits)});`;
    const adapter = await runInBrowser<Adapter | null>({ browser, executable, script, signal: io.signal });
    return adapter ? { where, adapter } : { where, adapter, reason: 'has no WebGPU adapter' };
  } catch (error) {
    io.signal.throwIfAborted();
    return { where: browser, adapter: null, reason: (error as Error).message };
  }
}

async function versionOf(executable: string): Promise<string> {
  const { stdout } = await promisify(execFile)(executable, ['--version'], { timeout: 20_000 });
  return stdout.trim();
}

function describe(report: {
  readonly version: string;
  readonly node: string;
  readonly system: string;
  readonly places: readonly Place[];
}): string {
  const lines = [`mobilenet-webgpu ${report.version}, Node ${report.node}, ${report.system}`];
  for (const { where, adapter, reason } of report.places) {
    lines.push('', `${where}: ${adapter?.name ?? reason}`);
    if (!adapter) continue;
    lines.push(`  features: ${adapter.features.join(', ') || 'none'}`);
    lines.push(
      `  limits: ${Object.entries(adapter.limits)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    );
  }
  return `\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
}

import { existsSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';

/** SwiftShader, Chromium's software Vulkan, where Debian and Chrome put it. */
const softwareDrivers = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/** The command that installs Dawn. */
export const installAdvice = 'npm install --no-save webgpu';

/** WebGPU in Node, by Dawn; or why there is none. */
export type NodeGpu = { readonly gpu: GPU; readonly reason: '' } | { readonly gpu: null; readonly reason: string };

/** Kept for the life of the process: devices crash once the object that they came from is collected. */
let opened: Promise<NodeGpu> | null = null;

/**
 * WebGPU through the optional package "webgpu", opened once in a process. Where Vulkan finds no GPU, Chromium's
 * SwiftShader is used. A process that used it ends by `process.exit`: Dawn keeps it alive otherwise.
 */
export function openNodeGpu(): Promise<NodeGpu> {
  opened ??= open();
  return opened;
}

async function open(): Promise<NodeGpu> {
  const name = 'webgpu';
  let create: (flags: string[]) => GPU;
  try {
    ({ create } = await import(/* @vite-ignore */ name));
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const missing = code === 'ERR_MODULE_NOT_FOUND';
    const why = missing ? `is not installed (${installAdvice})` : `could not be opened: ${message}`;
    return { gpu: null, reason: `the package "webgpu" ${why}` };
  }
  return openDawn(create);
}

/** What Linux shows of a GPU: its own drivers', Windows' beneath it, Nvidia's in a container. */
const hardware = ['/dev/dri', '/dev/dxg', '/dev/nvidiactl'];

/**
 * Dawn on the system's drivers, else on SwiftShader. Where Linux shows no GPU it is the other way round: Dawn warns on
 * standard error of every driver that it cannot use, which nobody can keep from there but by not asking.
 */
export async function openDawn(create: (flags: string[]) => GPU): Promise<NodeGpu> {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  const driver = VK_DRIVER_FILES || VK_ICD_FILENAMES ? undefined : softwareDrivers.find((path) => existsSync(path));
  const mayHaveGpu = platform() !== 'linux' || hardware.some((path) => existsSync(path));
  const ways = driver === undefined ? [null] : mayHaveGpu ? [null, driver] : [driver, null];
  // Drivers of Mesa write an error where it is missing; they put nothing there.
  if (platform() === 'linux') process.env.XDG_RUNTIME_DIR ??= tmpdir();
  for (const files of ways) {
    if (files) process.env.VK_DRIVER_FILES = files;
    const gpu = create([]);
    // As `openGpu` asks.
    const levels = [{}, { featureLevel: 'compatibility' }];
    for (const level of levels) if (await gpu.requestAdapter(level)) return { gpu, reason: '' };
    if (files) delete process.env.VK_DRIVER_FILES;
  }
  return { gpu: null, reason: `Dawn found no GPU${driver ? `, nor one by ${driver}` : ' and no software driver'}` };
}

import { existsSync } from 'node:fs';

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
 * SwiftShader is tried. A process that used it ends by `process.exit`: Dawn keeps it alive otherwise.
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
  } catch {
    return { gpu: null, reason: `the package "webgpu" is not installed (${installAdvice})` };
  }
  const gpu = create([]);
  if (await gpu.requestAdapter()) return { gpu, reason: '' };
  const driver = softwareDrivers.find((path) => existsSync(path));
  if (!driver || process.env.VK_DRIVER_FILES) return { gpu: null, reason: 'Dawn found no GPU and no software driver' };
  process.env.VK_DRIVER_FILES = driver;
  const software = create([]);
  const found = await software.requestAdapter();
  return found ? { gpu: software, reason: '' } : { gpu: null, reason: `Dawn found no GPU, nor one by ${driver}` };
}

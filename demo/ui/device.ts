import type { AdapterDescription, Model } from '../../src/index.ts';

type Named = Pick<AdapterDescription, 'vendor' | 'architecture' | 'description' | 'software'>;

/** What ran a model, in a few words: "WebGPU · google swiftshader (software)". */
export function deviceText({ device, adapter }: Model): string {
  if (device === 'reference') return 'CPU reference';
  if (device === 'wasm') return 'CPU · XNNPACK in WebAssembly';
  return `WebGPU · ${adapterText(adapter)}`;
}

/** The adapter as the browser describes it. Firefox leaves all of it empty. */
export function adapterText(adapter: Named | null): string {
  if (!adapter) return 'no adapter';
  const { vendor, architecture, description, software } = adapter;
  const name =
    description || [vendor, architecture].filter(Boolean).join(' ') || 'an adapter that the browser does not name';
  return software ? `${name} (software)` : name;
}

/** Shows at the top of the page what runs the models, and why it is the CPU where it is. */
export function showDevice(model: Model, chip: HTMLElement, text: HTMLElement, notice: HTMLElement): void {
  chip.dataset.device = model.device;
  text.textContent = deviceText(model);
  notice.hidden = model.device !== 'reference';
  notice.textContent =
    model.device === 'reference'
      ? `Running on the CPU: ${model.deviceReason} Everything here works without a GPU, in plain loops and more slowly.`
      : '';
}

/** Looks for a GPU without opening it, for the line at the top of the page. */
export async function probeDevice(chip: HTMLElement, text: HTMLElement): Promise<void> {
  const find = (options?: GPURequestAdapterOptions) => navigator.gpu?.requestAdapter(options).catch(() => null);
  const adapter = (await find()) ?? (await find({ featureLevel: 'compatibility' }));
  // A model may have told meanwhile.
  if (chip.dataset.device) return;
  const { vendor = '', architecture = '', description = '' } = adapter?.info ?? {};
  const software = /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${vendor} ${architecture} ${description}`);
  chip.dataset.device = adapter ? 'webgpu' : 'reference';
  text.textContent = adapter
    ? `WebGPU · ${adapterText({ vendor, architecture, description, software })}`
    : 'No WebGPU here: the CPU';
}

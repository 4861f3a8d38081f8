import { DeviceError, DeviceLostError } from '../errors.ts';
import { type PolledDevice, pollsSlowly } from './settle.ts';

/** What the browser tells of an adapter. Firefox leaves the strings empty. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A software implementation. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** Lanes of a wave, at least and at most, where they are told. */
  readonly subgroups?: readonly [least: number, most: number];
  /** Bytes that the invocations of a workgroup may share. */
  readonly workgroupBytes?: number;
}

/** Features that the engine uses where they are present. */
const usedFeatures: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/** As large as the adapter has them: large pictures or batches need more than the default 128 MiB, large workgroups more than 256 invocations and 16 KiB. */
const raisedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** A device, what it runs on, and whether it is still there. */
export class Gpu implements PolledDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** The adapter's, and what was found by trying. */
  features: readonly string[];
  /** Whether the queue must be nudged while it is waited for (`settle`), which does no harm where that is not known. */
  pollsSlowly = true;
  settled = false;
  /** Once the device is lost, and `check` throws. */
  readonly lost: Promise<void>;
  /** Opens another device in the place of this one when it is lost; null where the caller brought it. */
  readonly reopen: (() => Promise<Gpu>) | null;
  /** Set once the device is lost. */
  #loss: string | null = null;

  constructor(device: GPUDevice, adapter: AdapterDescription, reopen: (() => Promise<Gpu>) | null) {
    this.device = device;
    this.adapter = adapter;
    this.features = adapter.features;
    this.reopen = reopen;
    this.lost = device.lost.then(({ reason, message }) => {
      this.#loss = `${reason}${message ? `: ${message}` : ''}`;
    });
    pollsSlowly(this).then(
      (slowly) => {
        this.pollsSlowly = slowly;
      },
      () => {},
    );
  }

  get isLost(): boolean {
    return this.#loss !== null;
  }

  /** Throws `DeviceLostError` once the device is lost: what was read since then cannot be trusted. */
  check(): void {
    if (this.#loss === null) return;
    throw new DeviceLostError(
      `the GPU device was lost (${this.#loss}); ${this.reopen ? 'call' : 'load the model'} again`,
    );
  }

  /**
   * The error to throw for one that the browser gave: `DeviceLostError` where the device is lost, which may become known
   * only after the promises that it breaks.
   */
  async explain(error: unknown): Promise<unknown> {
    if (error instanceof DOMException) await checkSoon(this.device, '').catch(() => {});
    try {
      this.check();
      return error;
    } catch (loss) {
      return loss;
    }
  }

  /** What was found by trying joins the features; what adapters are told apart by stays. */
  learn(found: readonly string[]): void {
    this.features = [...new Set([...this.features, ...found])];
  }

  /** Destroys the device unless the caller brought it. */
  dispose(): void {
    if (this.reopen) this.device.destroy();
  }
}

/**
 * After a failure: waits a moment for a loss, which may become known only after what it breaks. Throws `DeviceLostError`
 * where there is one; `what` failed.
 */
export async function checkSoon(device: Pick<GPUDevice, 'lost'>, what: string): Promise<void> {
  const lost = await Promise.race([device.lost, new Promise<null>((resolve) => setTimeout(() => resolve(null), 400))]);
  if (lost) throw new DeviceLostError(`${what}: the GPU device was lost (${lost.reason})`);
}

export interface GpuOptions {
  /** A device of the caller's; it is used as it is and never destroyed. */
  readonly device?: GPUDevice | undefined;
  /** Where WebGPU is, `navigator.gpu` unless given (Node on Dawn). */
  readonly gpu?: GPU | undefined;
  readonly powerPreference?: GPUPowerPreference | undefined;
}

/**
 * Opens a device on a fresh adapter; where there is none of the usual feature level, on one for older graphics APIs. Throws
 * `DeviceError` where there is no WebGPU or no adapter.
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  if (options.device) {
    const { device } = options;
    return new Gpu(device, describe(device.adapterInfo, device), null);
  }
  const { gpu = globalThis.navigator?.gpu, powerPreference } = options;
  const preference = powerPreference ? { powerPreference } : {};
  const adapter =
    (await gpu?.requestAdapter(preference)) ??
    (await gpu?.requestAdapter({ ...preference, featureLevel: 'compatibility' }));
  if (!adapter) throw new DeviceError((await import('./why-no-gpu.ts')).whyNoGpu(!!gpu));
  try {
    const device = await adapter.requestDevice({
      label: 'mobilenet-webgpu',
      requiredFeatures: usedFeatures.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(raisedLimits.map((name) => [name, adapter.limits[name]])),
    });
    return new Gpu(device, describe(adapter.info, adapter), () => openGpu(options));
  } catch (error) {
    throw new DeviceError(`the adapter gave no device: ${(error as Error).message}`, { cause: error });
  }
}

type Capable = Pick<GPUAdapter, 'features' | 'limits'>;

function describe(info: GPUAdapterInfo | undefined, { features, limits }: Capable): AdapterDescription {
  const { subgroupMinSize: least, subgroupMaxSize: most } = info ?? {};
  return {
    vendor: info?.vendor ?? '',
    architecture: info?.architecture ?? '',
    description: info?.description ?? '',
    software: info?.isFallbackAdapter ?? false,
    features: [...features],
    ...(least && most ? { subgroups: [least, most] } : {}),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
  };
}

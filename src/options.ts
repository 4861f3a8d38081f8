/** The words by which a caller chooses how a model runs, the same in `load`, on the command line and in the page. */
import { DeviceError, UsageError } from './errors.ts';
import type { Precision as Storage } from './planner/plan.ts';
import type { PlanKind } from './planner/prepare.ts';

/** `auto`: WebGPU where there is an adapter, else the CPU reference. `wasm` is not there yet. */
export const devices = ['auto', 'webgpu', 'wasm', 'reference'] as const;
export type Device = (typeof devices)[number];

/**
 * `auto`: float32 for files of float32 and float16 weights, always. `float16-storage` keeps weights and the largest
 * tensors as halves and computes in float32. `float16` computes in halves, carried in float32, on devices with
 * `shader-f16`. `int8`, which computes in integers, is not there yet.
 */
export const precisions = ['auto', 'float32', 'float16', 'float16-storage', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** `auto`: unfused, which was measured faster on software adapters; `fused` saves memory traffic on others. */
export const planOptions = ['auto', 'unfused', 'fused'] as const;
export type PlanOption = (typeof planOptions)[number];

export interface RunChoice {
  readonly device?: Device | undefined;
  readonly precision?: Precision | undefined;
  readonly plan?: PlanOption | undefined;
}

/** What a choice comes to. */
export interface ResolvedChoice {
  readonly device: 'auto' | 'webgpu' | 'reference';
  readonly precision: 'float32' | 'float16' | 'float16-storage';
  readonly plan: PlanKind;
}

/** Throws `UsageError` for a word that is unknown, that stands for what is not there yet, or that does not go with another. */
export function resolveChoice({ device = 'auto', precision = 'auto', plan = 'auto' }: RunChoice): ResolvedChoice {
  known('device', device, devices);
  known('precision', precision, precisions);
  known('plan', plan, planOptions);
  if (device === 'wasm') throw new UsageError('device "wasm" is not there yet; use "webgpu", "reference" or "auto"');
  if (precision === 'int8') throw new UsageError('precision "int8" is not there yet; use "float32" or "auto"');
  if (precision.startsWith('float16') && device === 'reference') {
    throw new UsageError(`precision "${precision}" is for the GPU; the reference computes in float64: use "auto"`);
  }
  return {
    device,
    precision: precision === 'auto' ? 'float32' : precision,
    plan: plan === 'auto' ? 'unfused' : plan,
  };
}

function known(option: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw new UsageError(`${option} is "${value}", expected ${values.join(', ')}`);
}

/**
 * How a device with these features stores a precision: halves in pairs of 16 bits where it has no type for them. Throws
 * `DeviceError` where it is to compute in them all the same.
 */
export function storageOf(precision: ResolvedChoice['precision'], features: readonly string[]): Storage {
  if (precision === 'float32') return precision;
  if (features.includes('shader-f16')) return 'float16';
  if (precision === 'float16-storage') return 'float16-packed';
  throw new DeviceError('this GPU does not compute in halves (it has no shader-f16); use "float16-storage" or "auto"');
}

/** What kernels are to compute in, as of `KernelPreferences`. */
export const arithmeticOf = (precision: ResolvedChoice['precision']): { readonly arithmetic?: 'float16' } =>
  precision === 'float16' ? { arithmetic: precision } : {};

/** The words by which a caller chooses how a model runs, the same in `load`, on the command line and in the page. */
import { UsageError } from './errors.ts';
import type { Precision as Storage } from './planner/plan.ts';

/**
 * `auto`: WebGPU, or a CPU engine where that is faster or there is no adapter (`LoadOptions.cpu`); the CPU reference where
 * there is neither. `wasm`: a CPU engine.
 */
export const devices = ['auto', 'webgpu', 'wasm', 'reference'] as const;
export type Device = (typeof devices)[number];

/**
 * `auto`: `int8` for quantised files whose operations are computed on integers, else float32, always. `int8` gives the bytes that the
 * file's own runtime gives; `float32` computes such a file on the real numbers behind its integers. `float16-storage` keeps weights
 * and the largest tensors as halves and computes in float32. `float16` computes in halves, carried in float32, where the GPU
 * has `shader-f16`; fused blocks, the stem and the first block stay float32.
 */
export const precisions = ['auto', 'float32', 'float16', 'float16-storage', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/**
 * `auto`: begins `unfused`; in the background blocks are raced against their parts, and those that win are fused. `fused`: all from
 * the beginning, but on a GPU of fewer than 256 invocations a workgroup, where no block is.
 */
export const planOptions = ['auto', 'unfused', 'fused'] as const;
export type PlanOption = (typeof planOptions)[number];

/**
 * `auto`: as the file holds them, in the precision of the rest. `int8`: those of convolutions of one group and of fully connected
 * layers as bytes with a scale for each output, a quarter of the memory on the GPU; products and sums are float32. Weights are
 * rounded to them, on whatever device. Stored integers (precision int8) are bytes already. There are no fused plans with it yet.
 */
export const weightOptions = ['auto', 'int8'] as const;
export type WeightOption = (typeof weightOptions)[number];

export interface RunChoice {
  readonly device?: Device | undefined;
  readonly precision?: Precision | undefined;
  readonly plan?: PlanOption | undefined;
  readonly weights?: WeightOption | undefined;
}

/** What a choice comes to. */
export interface ResolvedChoice {
  readonly device: Device;
  /** Of real numbers. */
  readonly precision: 'float32' | 'float16' | 'float16-storage';
  /** Whether the network runs on integers: where all of a quantised file is covered, or in any case. */
  readonly integers: 'never' | 'where-covered' | 'always';
  readonly plan: PlanOption;
  readonly weights: WeightOption;
}

/** Throws `UsageError` for a word that is unknown, that stands for what is not there yet, or that does not go with another. */
export function resolveChoice({
  device = 'auto',
  precision = 'auto',
  plan = 'auto',
  weights = 'auto',
}: RunChoice): ResolvedChoice {
  known('device', device, devices);
  known('precision', precision, precisions);
  known('plan', plan, planOptions);
  known('weights', weights, weightOptions);
  if (precision === 'int8' && plan === 'fused') {
    throw new UsageError('precision "int8" has no fused plan: use plan "auto" or precision "float32"');
  }
  if (precision.startsWith('float16') && (device === 'reference' || device === 'wasm')) {
    throw new UsageError(`precision "${precision}" is for the GPU, and device is "${device}": use "auto"`);
  }
  return {
    device,
    precision: precision === 'auto' || precision === 'int8' ? 'float32' : precision,
    integers: precision === 'int8' ? 'always' : precision === 'auto' && plan !== 'fused' ? 'where-covered' : 'never',
    plan,
    weights,
  };
}

function known(option: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw new UsageError(`${option} is "${value}", expected ${values.join(', ')}`);
}

/**
 * How a device with these features stores a precision: halves in pairs of 16 bits where it has no type for them. Throws
 * `UsageError` where it is to compute in them all the same.
 */
export function storageOf(precision: ResolvedChoice['precision'], features: readonly string[]): Storage {
  if (precision === 'float32') return precision;
  if (features.includes('shader-f16')) return 'float16';
  if (precision === 'float16-storage') return 'float16-packed';
  throw new UsageError('this GPU does not compute in halves (it has no shader-f16); use "float16-storage" or "auto"');
}

/** What kernels are to compute in, as of `KernelPreferences`. */
export const arithmeticOf = (precision: ResolvedChoice['precision']): { readonly arithmetic?: 'float16' } =>
  precision === 'float16' ? { arithmetic: precision } : {};

/** The words by which a caller chooses how a model runs, the same in `load`, on the command line and in the page. */
import { UsageError } from './errors.ts';
import type { Precision as Storage } from './planner/plan.ts';
import type { PlanKind } from './planner/prepare.ts';

/**
 * `auto`: WebGPU, or a CPU engine where that is faster or there is no adapter (`LoadOptions.cpu`); the CPU reference where
 * there is neither. `wasm`: a CPU engine.
 */
export const devices = ['auto', 'webgpu', 'wasm', 'reference'] as const;
export type Device = (typeof devices)[number];

/**
 * `auto`: `int8` for quantised files whose operations are computed on integers, else float32, always. `int8` gives the bytes that the
 * file's own runtime gives; `float32` computes such a file on the real numbers behind its integers. `float16-storage` keeps weights
 * and the largest tensors as halves and computes in float32. `float16`, which computes in halves, is not there yet.
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
  readonly device: Device;
  /** Of real numbers. */
  readonly precision: 'float32' | 'float16-storage';
  /** Whether the network runs on integers: where all of a quantised file is covered, or in any case. */
  readonly integers: 'never' | 'where-covered' | 'always';
  readonly plan: PlanKind;
}

/** Throws `UsageError` for a word that is unknown, that stands for what is not there yet, or that does not go with another. */
export function resolveChoice({ device = 'auto', precision = 'auto', plan = 'auto' }: RunChoice): ResolvedChoice {
  known('device', device, devices);
  known('precision', precision, precisions);
  known('plan', plan, planOptions);
  if (precision === 'float16') {
    throw new UsageError(
      'precision "float16" (arithmetic in halves) is not there yet; use "float16-storage" or "auto"',
    );
  }
  if (precision === 'int8' && plan === 'fused') {
    throw new UsageError(
      'precision "int8" has no fused plan yet; use plan "unfused" or "auto", or precision "float32"',
    );
  }
  if (precision === 'float16-storage' && (device === 'reference' || device === 'wasm')) {
    throw new UsageError(`precision "float16-storage" is for the GPU, and device is "${device}": use "auto"`);
  }
  return {
    device,
    precision: precision === 'float16-storage' ? precision : 'float32',
    integers: precision === 'int8' ? 'always' : precision === 'auto' && plan !== 'fused' ? 'where-covered' : 'never',
    plan: plan === 'auto' ? 'unfused' : plan,
  };
}

function known(option: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw new UsageError(`${option} is "${value}", expected ${values.join(', ')}`);
}

/** How a device with these features stores a precision: halves in pairs of 16 bits where it has no type for them. */
export function storageOf(precision: ResolvedChoice['precision'], features: readonly string[]): Storage {
  if (precision === 'float32') return precision;
  return features.includes('shader-f16') ? 'float16' : 'float16-packed';
}

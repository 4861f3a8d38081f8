import type { Node, Shape } from '../../src/graph/ops.ts';
import type { Precision } from '../../src/planner/plan.ts';

type WithoutConstants<N> = N extends Node
  ? Omit<N, 'name' | 'inputs' | 'output' | 'weights' | 'bias' | 'scale' | 'shift' | 'mean' | 'variance' | 'slope'>
  : never;

/** A node without names and constants: these are drawn at random where the case runs. */
export type NodeTemplate = WithoutConstants<Node>;

/** One run of one kernel, as JSON. */
export interface KernelCase {
  readonly title: string;
  readonly node: NodeTemplate;
  readonly inputs: readonly Shape[];
  /** Inputs are uniform in [−range, range); 2 unless given. */
  readonly range?: number;
  /** Without a bias (convolution, fully connected). */
  readonly noBias?: boolean;
}

/** Which tensors of a case are stored as halves. */
export type Halves = 'all' | 'inputs' | 'outputs' | 'none';

export interface CaseResult {
  readonly kernel: string;
  readonly maxError: number;
  readonly bound: number;
  readonly share: number;
  readonly unwritten: number;
  /** Stored values, padding lanes included, that are not finite. */
  readonly notFinite: number;
  /** Whether several runs gave the same bits. */
  readonly repeatable: boolean;
  readonly ok: boolean;
}

/** A case, and how it is run. */
export interface KernelRun {
  readonly testCase: KernelCase;
  /** The kernel to run it. */
  readonly kernel: string;
  readonly seed: number;
  /** float32 unless given. */
  readonly precision?: Precision;
  /** Which tensors are stored as halves on float16 storage; all unless given. */
  readonly halves?: Halves;
  /** Stored integers: without supposing that the device's floats are exact. */
  readonly inexact?: boolean;
}

export interface TableResult {
  /** Features that the kernel needs and the adapter does not have: nothing was run. */
  readonly missing: readonly string[];
  /** Of each run, in order, or why it gave none. */
  readonly results: readonly (CaseResult | { readonly error: string })[];
}

import type { AdapterDescription, PlanOption } from '../src/index.ts';

export interface GrowthPoint {
  readonly model: string;
  readonly batch: number;
  /** α, pixels a side or pictures. */
  readonly value: number;
  /** Of the whole batch. */
  readonly macs: number;
  readonly medianMs: number;
  readonly minMs: number;
}

export interface GrowthSeries {
  readonly against: 'alpha' | 'size' | 'batch';
  readonly points: readonly GrowthPoint[];
  /** The e of time ≈ constant · MACs^e: at most 1 where time grows no faster than the multiplications. */
  readonly exponent: number;
}

export interface Growth {
  readonly browser: string;
  readonly adapter: AdapterDescription | null;
  readonly plan: PlanOption;
  readonly series: readonly GrowthSeries[];
}

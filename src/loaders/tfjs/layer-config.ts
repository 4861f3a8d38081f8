import { ModelFormatError } from '../../errors.ts';
import type { Pair } from '../../graph/ops.ts';
import { field, listOf, shown } from '../core/json.ts';

/** The configuration of a Keras layer, as JSON holds it. Getters throw `ModelFormatError` that names layer and key. */
export class LayerConfig {
  private readonly file: string;
  private readonly layer: string;
  private readonly config: unknown;

  constructor(file: string, layer: string, config: unknown) {
    this.file = file;
    this.layer = layer;
    this.config = config;
  }

  fail(key: string, expected: string): never {
    const found = shown(this.get(key));
    throw new ModelFormatError(this.file, `layer "${this.layer}": ${key} is ${found}, expected ${expected}`);
  }

  /** Undefined where the key is missing or null. */
  get(key: string): unknown {
    return field(this.config, key) ?? undefined;
  }

  bool(key: string, otherwise: boolean): boolean {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false');
  }

  number(key: string, otherwise: number): number {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.fail(key, 'a finite number');
  }

  /** A number ≥ 1. */
  count(key: string, otherwise?: number): number {
    const value = this.get(key) ?? otherwise;
    return isCount(value) ? value : this.fail(key, 'a whole number ≥ 1');
  }

  string(key: string, otherwise: string): string {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'string' ? value : this.fail(key, 'a string');
  }

  /** One number for both, or two; all ≥ 1. */
  pair(key: string, otherwise: Pair | undefined): Pair {
    const value = this.get(key) ?? otherwise;
    if (isCount(value)) return [value, value];
    const list = listOf(value);
    if (list.length === 1 && isCount(list[0])) return [list[0], list[0]];
    if (list.length !== 2 || !list.every(isCount)) return this.fail(key, 'one or two whole numbers ≥ 1');
    return list as unknown as Pair;
  }

  /** Whole numbers, each ≥ `least`. */
  integers(key: string, least: number): number[] {
    const list = listOf(this.get(key));
    const sound = list.length > 0 && list.every((v) => Number.isSafeInteger(v) && (v as number) >= least);
    return sound ? (list as number[]) : this.fail(key, `whole numbers ≥ ${least}`);
  }

  /** Whole numbers ≥ 1, and -1 or null for a size that follows from the others: -1 here. */
  targetShape(key: string): number[] {
    const list = listOf(this.get(key)).map((size) => size ?? -1);
    const sound = list.every((size) => size === -1 || isCount(size)) && list.filter((size) => size === -1).length <= 1;
    return sound ? (list as number[]) : this.fail(key, 'sizes ≥ 1, at most one of them -1');
  }

  /** One axis, or a list of one; from the end where negative. */
  axis(key: string, rank: number): number {
    const given = this.get(key) ?? -1;
    const value = Array.isArray(given) && given.length === 1 ? given[0] : given;
    const axis = typeof value === 'number' && value < 0 ? value + rank : value;
    const sound = Number.isSafeInteger(axis) && (axis as number) >= 0 && (axis as number) < rank;
    return sound ? (axis as number) : this.fail(key, `an axis of ${rank} dimensions`);
  }

  /** `channels_first`, or `channels_last` (the default). */
  channelsFirst(): boolean {
    const format = this.string('data_format', 'channels_last');
    if (format !== 'channels_first' && format !== 'channels_last') this.fail('data_format', 'channels_last');
    return format === 'channels_first';
  }

  /** A function's name, as Keras 2 (`"relu"`) and Keras 3 (`{ class_name: "function", config: "relu" }`) write it. */
  functionName(key: string, otherwise: string): string {
    const value = this.get(key) ?? otherwise;
    if (typeof value === 'string') return value;
    const name = field(value, 'class_name') === 'function' ? field(value, 'config') : field(value, 'class_name');
    return typeof name === 'string' ? name : this.fail(key, "a function's name");
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

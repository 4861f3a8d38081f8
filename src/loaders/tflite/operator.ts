/** Operators of a TensorFlow Lite file, as its loader reads them. */
import type { ImportBuilder, Value } from '../core/import-builder.ts';
import type { FlatTable } from './flat-table.ts';
import type { TfliteTensor } from './tensors.ts';

/** BuiltinOperator of what a name says. */
export const CUSTOM = 32;

export interface OperatorCode {
  readonly number: number;
  /** Its name, where it is none of BuiltinOperator. */
  readonly custom: string;
}

export interface Operator {
  readonly table: FlatTable;
  /** Of BuiltinOperator; -1 where the file has no such code. */
  readonly number: number;
  /** Indices of tensors. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** An output: a tensor of the file under a name. */
export interface Wanted {
  readonly name: string;
  readonly index: number;
}

/** What is known of a file while its network is built. */
export interface FileNetwork {
  readonly builder: ImportBuilder;
  readonly all: readonly Operator[];
  readonly codes: readonly OperatorCode[];
  /** Indices of the file's own outputs. */
  readonly outputs: readonly number[];
  /** Throws `ModelFormatError` where there is none. */
  readonly tensor: (index: number, what: string) => TfliteTensor;
  /** For a message. */
  readonly shortName: (index: number) => string;
  /** What operator `i` is called. */
  readonly opOf: (i: number) => string;
  /** The tensor of the graph that a tensor of the file is; null where it is none. */
  readonly graphTensor: (index: number) => string | null;
  /** Throws `ModelFormatError` where nothing computes it. */
  readonly value: (index: number, what: string) => Value;
}

import { ModelFormatError } from '../../errors.ts';
import { field, isRecord, listOf, shown } from '../core/json.ts';

/** Numbers of tensorflow/core/framework/types.proto that a file may give in place of names. */
const typeNumbers = new Map<unknown, string>([
  [1, 'DT_FLOAT'],
  [2, 'DT_DOUBLE'],
  [3, 'DT_INT32'],
  [4, 'DT_UINT8'],
  [5, 'DT_INT16'],
  [6, 'DT_INT8'],
  [7, 'DT_STRING'],
  [9, 'DT_INT64'],
  [10, 'DT_BOOL'],
  [14, 'DT_BFLOAT16'],
  [19, 'DT_HALF'],
]);

export const floatTypes: ReadonlySet<string> = new Set(['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF', 'DT_BFLOAT16']);
export const numericTypes: ReadonlySet<string> = new Set([
  ...floatTypes,
  'DT_INT8',
  'DT_UINT8',
  'DT_INT16',
  'DT_INT32',
  'DT_INT64',
  'DT_BOOL',
]);

/** A string of attributes as a list of codes: names of formats and paddings. */
const maxCodes = 1000;

/** The attributes of a node, as protobuf's JSON writes them: 64-bit numbers are strings, strings are base64. */
export class TfjsAttributes {
  private readonly file: string;
  private readonly node: string;
  private readonly attributes: unknown;

  constructor(file: string, node: string, attributes: unknown) {
    this.file = file;
    this.node = node;
    this.attributes = attributes;
  }

  private fail(name: string, found: unknown, expected: string): never {
    throw new ModelFormatError(
      this.file,
      `node "${this.node}": attribute ${name} is ${shown(found)}, expected ${expected}`,
    );
  }

  private kind(name: string, kind: string): unknown {
    const own = field(this.attributes, name);
    // One of another kind would be read as none.
    if (isRecord(own) && !Object.hasOwn(own, kind) && Object.keys(own).length > 0) this.fail(name, own, `a "${kind}"`);
    return field(own, kind);
  }

  bool(name: string, otherwise: boolean): boolean {
    const value = this.kind(name, 'b') ?? otherwise;
    return typeof value === 'boolean' ? value : this.fail(name, value, 'true or false');
  }

  float(name: string, otherwise: number): number {
    const value = this.kind(name, 'f') ?? otherwise;
    return typeof value === 'number' ? value : this.fail(name, value, 'a number');
  }

  int(name: string, otherwise: number): number {
    return this.integer(name, this.kind(name, 'i') ?? otherwise);
  }

  ints(name: string): number[] {
    return listOf(field(this.kind(name, 'list'), 'i')).map((value) => this.integer(name, value));
  }

  string(name: string, otherwise: string): string {
    const value = this.kind(name, 's');
    return value === undefined ? otherwise : this.text(name, value);
  }

  strings(name: string): string[] {
    return listOf(field(this.kind(name, 'list'), 's')).map((value) => this.text(name, value));
  }

  /** `DT_FLOAT`, or undefined. */
  type(name: string): string | undefined {
    const value = this.kind(name, 'type');
    if (value === undefined) return undefined;
    const type = typeNumbers.get(value) ?? value;
    return typeof type === 'string' ? type : this.fail(name, value, 'a type');
  }

  /** Dimensions, null where one is dynamic; null for no shape or an unknown rank. */
  shape(name: string): (number | null)[] | null {
    const shape = this.kind(name, 'shape');
    if (shape === undefined || field(shape, 'unknownRank') === true || field(shape, 'unknown_rank') === true)
      return null;
    return listOf(field(shape, 'dim')).map((dim) => {
      const size = this.integer(name, field(dim, 'size') ?? -1);
      return size > 0 ? size : null;
    });
  }

  private integer(name: string, value: unknown): number {
    const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    return Number.isSafeInteger(number) ? (number as number) : this.fail(name, value, 'a whole number');
  }

  private text(name: string, value: unknown): string {
    const isCodes = Array.isArray(value) && value.length <= maxCodes;
    if (isCodes && value.every((code) => typeof code === 'number')) return String.fromCharCode(...value);
    if (typeof value !== 'string') return this.fail(name, value, 'a string');
    try {
      return atob(value);
    } catch {
      return this.fail(name, value, 'base64');
    }
  }
}

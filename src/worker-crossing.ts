/** What crosses between a page and the worker that a model is in, on both sides of the way. */
import {
  DeviceError,
  DeviceLostError,
  FetchError,
  GraphError,
  IntegrityError,
  InvalidResultError,
  MobileNetError,
  ModelFormatError,
  OutOfMemoryError,
  PictureError,
  SeveralModelsError,
  ShaderError,
  UnsupportedOpError,
  UsageError,
} from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { Node } from './graph/ops.ts';

/** A call of the page: `load`, or a method of the model. */
export interface Call {
  readonly id: number;
  readonly method: string;
  /** Where an options object has functions (`onProgress`), their names: what they are told comes back. */
  readonly args: readonly unknown[];
  readonly listeners: readonly string[];
  readonly abortable: boolean;
}

/** Ends a call. */
export interface Abort {
  readonly abort: number;
  readonly reason: unknown;
}

/** What the page knows of the model without asking. */
export interface ModelState {
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether there is something to wait for in `tuned`. */
  readonly tuned: boolean;
}

export type Answer =
  | { readonly id: number; readonly result: unknown; readonly state: ModelState | null }
  | { readonly id: number; readonly error: ErrorParts; readonly state: ModelState | null }
  | { readonly id: number; readonly listener: string; readonly told: readonly unknown[] }
  | { readonly lost: unknown };

/** An error taken apart: structured clones lose classes and fields. */
export interface ErrorParts {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** In place of them, what is no error of a class that is known, as it can be cloned. */
  readonly other?: unknown;
}

/** By their names: every class of src/errors.ts. */
const classes: Readonly<Record<string, { readonly prototype: Error } | undefined>> = {
  DeviceError,
  DeviceLostError,
  FetchError,
  GraphError,
  IntegrityError,
  InvalidResultError,
  MobileNetError,
  ModelFormatError,
  OutOfMemoryError,
  PictureError,
  SeveralModelsError,
  ShaderError,
  UnsupportedOpError,
  UsageError,
};

export function takeApart(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return { name: '', fields: {}, other: error };
  const own = Object.getOwnPropertyNames(error).filter((key) => key !== 'cause');
  const fields = Object.fromEntries(own.map((key) => [key, (error as unknown as Record<string, unknown>)[key]]));
  if (error instanceof MobileNetError) return { name: error.name, fields };
  const { name, message, stack } = error;
  if (error instanceof DOMException) return { name, fields: { message, stack }, other: error };
  return { name: '', fields: { name, message, stack } };
}

/** The error again, of its class. */
export function putTogether({ name, fields, other }: ErrorParts): unknown {
  if (other !== undefined) return other;
  const error = new Error(String(fields.message));
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: key === 'code' });
  }
  const { prototype } = classes[name] ?? {};
  return prototype ? Object.setPrototypeOf(error, prototype) : error;
}

/** In place of an array of weights. */
interface Absent {
  readonly absent: string;
  readonly length: number;
}

/** The graph without its weights, which stay in the worker. */
export const withoutWeights = (graph: Graph): unknown => ({ ...graph, nodes: graph.nodes.map(stripped) });

function stripped(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    return { absent: value.constructor.name, length: (value as Float32Array).length } satisfies Absent;
  }
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stripped(inner)]));
}

/** The graph as the page has it: weights throw `UsageError` when they are read. */
export function withAbsentWeights(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => guarded(node, node.name) as Node) };
}

function guarded(value: unknown, node: string): unknown {
  if (Array.isArray(value)) return value.map((inner) => guarded(inner, node));
  if (typeof value !== 'object' || value === null) return value;
  const copy = {};
  for (const [key, inner] of Object.entries(value)) {
    const absent = typeof inner === 'object' && inner !== null && 'absent' in inner;
    const get = (): never => {
      const { absent: type, length } = inner as Absent;
      throw new UsageError(
        `"${key}" of node "${node}" (${type}, ${length} values) is in the worker: readGraph() gives a graph with its weights`,
      );
    };
    if (absent) Object.defineProperty(copy, key, { get, enumerable: true });
    else Object.defineProperty(copy, key, { value: guarded(inner, node), enumerable: true });
  }
  return copy;
}

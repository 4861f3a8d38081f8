import { UsageError } from '../../errors.ts';
import { type ByteLayer, bytesOf } from '../../graph/byte-weights.ts';
import type { Graph } from '../../graph/graph.ts';
import { hasByteWeights } from '../../graph/layers.ts';
import { writeSafetensors } from '../safetensors/container.ts';
import { isNumber } from './checks.ts';
import { FORMAT_VERSION, fields, SAVED_FORMAT, WITHOUT_BYTES } from './index.ts';
import { writeBody } from './integers.ts';

/**
 * The bytes of a file that `load` opens without loader and passes. `graph` has been through the passes. `toHalves`, where it
 * is given, makes the bits of float16 of the weights of layers; what does not fit, and the rest, is float32.
 */
export function writeSavedModel(
  graph: Graph,
  engine: string,
  toHalves: ((values: Float32Array) => Uint16Array) | null = null,
): Uint8Array<ArrayBuffer> {
  const tensors: [string, readonly number[], Float32Array | Uint16Array | Int32Array | Int8Array][] = [];
  let version = WITHOUT_BYTES;
  const nodes = graph.nodes.map((node, i) => {
    if (node.op === 'fused' || node.op === 'sum-tiles')
      throw new UsageError(`node "${node.name}" is fused; a model is saved before that`);
    const out: Record<string, unknown> = { op: node.op, name: node.name, inputs: node.inputs, output: node.output };
    if (node.op === 'integer') {
      version = FORMAT_VERSION;
      out.body = writeBody(node.body, (suffix, values) => {
        tensors.push([`${i}.${suffix}`, [values.length], values]);
        return `${i}.${suffix}`;
      });
      return out;
    }
    for (const [name, check] of Object.entries(fields[node.op])) {
      const value: unknown = node[name as keyof typeof node];
      if (!(value instanceof Float32Array)) {
        out[name] = isNumber(value) || typeof value !== 'number' ? value : null;
        continue;
      }
      if (typeof check !== 'string') throw new UsageError(`field ${name} of node "${node.name}" is a tensor`);
      // By number: names of nodes may be anything.
      out[name] = `${i}.${name}`;
      if (name === 'weights' && hasByteWeights(node)) {
        const { values, scales } = bytesOf(node as ByteLayer);
        out.scales = `${i}.scales`;
        tensors.push([`${i}.${name}`, [values.length], values], [`${i}.scales`, [scales.length], scales]);
        version = FORMAT_VERSION;
        continue;
      }
      const halves = toHalves && name === 'weights' && value.every((each) => Math.abs(each) <= 65504);
      tensors.push([`${i}.${name}`, [value.length], halves ? toHalves(value) : value]);
    }
    return out;
  });
  const { name, inputs, outputs, labels, image, assumptions, decoding } = graph;
  // What is wider stays aligned.
  tensors.sort(([, , a], [, , b]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT);
  return writeSafetensors(tensors, {
    format: SAVED_FORMAT,
    version: String(version),
    engine,
    graph: JSON.stringify({ name, inputs, outputs, labels, image, assumptions, decoding, nodes }),
  });
}

import { GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type Node, type Shape, writtenBy } from '../graph/ops.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import {
  type Binding,
  EXACT,
  type Kernel,
  MOST_WORKGROUPS,
  type NodeShapes,
  type PackedConstant,
  type Program,
} from '../kernels/kernel.ts';
import { toFloat16 } from '../kernels/pack.ts';
import { version } from '../version.ts';
import type { Names } from '../wgsl/preprocess.ts';
import { preludeNames, shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';
import { type LiveTensor, placeTensors } from './memory.ts';
import {
  type BoundRange,
  bytesPerElement,
  type ConstantSlot,
  type ConstantUpload,
  type DeviceLimits,
  type Dispatch,
  isHalf,
  type PipelineSpec,
  type Placement,
  type Plan,
  type Precision,
  type TextureSpec,
} from './plan.ts';
import { type KernelPreferences, kernelNamed, selectKernel, shapesOf } from './select.ts';
import { halvesOf, inputsOfOneReader, integerTensors, nodesInHalves } from './storage.ts';

/** Offsets of storage and uniform bindings are multiples of this in every WebGPU implementation. */
const ALIGNMENT = 256;

/** Final texts of shaders, which plans that follow each other share. */
const codes = new Map<string, string>();
const MOST_CODES = 64;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Bytes of a tensor as it is stored: channels in fours. */
export const storedBytes = (shape: Shape, precision: Precision): number =>
  shape[0] * shape[1] * shape[2] * 4 * Math.ceil(shape[3] / 4) * bytesPerElement(precision);

export interface PlanOptions {
  readonly precision?: Precision | undefined;
  /** Which tensors a float16 plan stores as halves; those of `halvesOf` unless given. */
  readonly halves?: ReadonlySet<string>;
  /** Let tensors that are never alive together share memory (default). Off, every tensor keeps its own place. */
  readonly aliasing?: boolean;
  /** Which kernels to choose; without it those that run on every device. */
  readonly preferences?: KernelPreferences | undefined;
  /** No buffer of the arena is made larger than a device has them; without it they may be of any size. */
  readonly limits?: Pick<DeviceLimits, 'maxBufferSize'>;
  /** Bytes behind each tensor that a node writes, bound with it: what is written there would be another's. 0 unless given. */
  readonly guard?: number;
}

/**
 * Writes the plan of a graph that the passes have prepared: a kernel for each node, a place for each tensor and
 * constant, few pipelines. `kernels` as from `kernelsFor`. Throws `GraphError` where a node has no kernel or a limit of WebGPU does not allow it.
 */
export function createPlan(graph: Graph, kernels: KernelRegistry, options: PlanOptions = {}): Plan {
  const steps = planInSteps(graph, kernels, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in steps of a few milliseconds at most, for a page that does other things in between. */
export function* planInSteps(
  graph: Graph,
  kernels: KernelRegistry,
  options: PlanOptions = {},
): Generator<undefined, Plan> {
  const { precision = 'float32', aliasing = true, preferences, guard = 0 } = options;
  const computing = preferences?.arithmetic && nodesInHalves(graph);
  const halves = options.halves ?? halvesOf(graph, kernels, precision, preferences?.arithmetic);
  const integers = integerTensors(graph);
  const precisionOf = (name: string): Precision =>
    integers.has(name) ? 'int8' : isHalf(precision) && halves.has(name) ? precision : 'float32';
  const shapes = inferShapes(graph);
  const mayBeDense = new Set([...inputsOfOneReader(graph)].filter((name) => precisionOf(name) === 'float32'));
  const steps: { node: Node; nodeShapes: NodeShapes; kernel: Kernel; program: Program }[] = [];
  for (const node of graph.nodes) {
    yield;
    const [first] = node.inputs as [string];
    const half = precisionOf(first) === 'float16';
    const nodeShapes = { ...shapesOf(node, shapes), dense: mayBeDense.has(first), half };
    const kernel = selectKernel(kernels, node, nodeShapes, preferences, computing?.has(node));
    const program = kernel.program(node, nodeShapes);
    if (program.workgroups.some((count) => count > MOST_WORKGROUPS)) {
      throw new GraphError(
        `node "${node.name}" (${node.op}): ${program.workgroups.join(' × ')} workgroups are more than WebGPU's ` +
          `${MOST_WORKGROUPS} a dimension; make the input smaller`,
      );
    }
    steps.push({ node, nodeShapes, kernel, program });
  }
  yield;

  const dense = new Set(steps.filter(({ kernel }) => kernel.readsDense).map(({ node }) => node.inputs[0]!));
  const given = new Set(graph.inputs.map(({ name }) => name));
  const bytesOf = (name: string) => {
    const shape = shapes.get(name)!;
    if (dense.has(name)) return 4 * sizeOf(shape);
    return storedBytes(shape, precisionOf(name)) + (given.has(name) ? 0 : guard);
  };
  const live = liveTensors(graph, bytesOf, aliasing);
  const memory = placeTensors(live, options.limits?.maxBufferSize);
  const tensors: Record<string, Placement> = Object.create(null);
  for (const { name } of live) {
    const shape = shapes.get(name)!;
    tensors[name] = {
      ...memory.places.get(name)!,
      bytes: bytesOf(name),
      shape,
      precision: precisionOf(name),
      ...(dense.has(name) ? { dense: true } : {}),
    };
  }

  const constants: ConstantSlot[] = [];
  let constantBytes = 0;
  let boundBytes = 0;
  const textures: TextureSpec[] = [];
  const uniforms: number[] = [];
  const pipelines = new Map<string, { index: number; spec: PipelineSpec }>();
  const dispatches: Dispatch[] = [];
  for (const { node, nodeShapes, kernel, program } of steps) {
    yield;
    let halfWeights = false;
    const slots = kernel.constants(node, nodeShapes).map((constant, index): ConstantSlot => {
      const half = constant.precision === 'storage' && isHalf(precision);
      halfWeights ||= half;
      const bytes = constantBytesOf(constant, precision);
      if (constant.texture) {
        const format = half ? 'rgba16float' : formats[constant.precision];
        textures.push({ ...constant.texture, format });
        return { node: node.name, index, offset: 0, bytes, texture: textures.length - 1 };
      }
      const slot = { node: node.name, index, offset: constantBytes, bytes };
      constantBytes += align(bytes);
      return slot;
    });
    constants.push(...slots);

    const words = packUniform(program.file, program.source, program.shape);
    const uniform: BoundRange = {
      kind: 'uniform',
      offset: 4 * uniforms.length,
      bytes: 16 * Math.ceil(words.length / 4),
    };
    uniforms.push(...words, ...new Array(align(4 * words.length) / 4 - words.length).fill(0));

    const [source, ...others] = node.inputs;
    const alike = ([first, ...rest]: readonly string[]) =>
      rest.every((name) => precisionOf(name) === precisionOf(first!));
    if (!alike(others) || !alike(writtenBy(node))) {
      throw new GraphError(`node "${node.name}" (${node.op}): operands are stored in two ways`);
    }
    const half = (name: string) => isHalf(precisionOf(name));
    const storage = preludeNames({
      precision,
      src: half(source!),
      other: others.length > 0 && half(others[0]!),
      weight: halfWeights,
      dst: half(node.output),
      subgroups: kernel.requires?.includes('subgroups') ?? false,
    });
    const names = program.prelude ? { ...storage, EXACT: preferences?.features.includes(EXACT) ?? false } : storage;
    const spec = pipelineOf(program, slots, names, textures);
    const key = JSON.stringify(spec);
    const pipeline = pipelines.get(key)?.index ?? pipelines.size;
    pipelines.set(key, { index: pipeline, spec });

    const place = (name: string): BoundRange => {
      const { buffer, offset, bytes } = tensors[name]!;
      return { kind: 'arena', buffer, offset, bytes };
    };
    const rangeOf = (binding: Binding): BoundRange => {
      if (binding.role === 'shape') return uniform;
      if (binding.role === 'output') return place(writtenBy(node)[binding.index ?? 0]!);
      if (binding.role === 'input') return place(node.inputs[binding.index]!);
      const { offset, bytes, texture } = slots[binding.index]!;
      if (texture !== undefined) return { kind: 'texture', texture };
      return { kind: 'constants', offset, bytes: binding.uniformBytes ?? bytes };
    };
    const bindings = program.bindings.map(rangeOf);
    for (const range of bindings) {
      if (range.kind === 'constants') boundBytes = Math.max(boundBytes, range.offset + range.bytes);
    }
    dispatches.push({
      node: node.name,
      kernel: kernel.name,
      pipeline,
      bindings,
      workgroups: program.workgroups,
      reads: node.inputs,
      writes: writtenBy(node),
    });
  }

  return {
    engine: version,
    graph: graph.name,
    precision,
    arena: memory.buffers,
    constantBytes: Math.max(constantBytes, boundBytes),
    textures,
    uniforms,
    pipelines: [...pipelines.values()].map(({ spec }) => spec),
    dispatches,
    constants,
    tensors,
    inputs: graph.inputs.map(({ name }) => name),
    outputs: graph.outputs.map(({ name, tensor }) => ({ name, tensor })),
  };
}

/** Of textures; what is stored may be halves. */
const formats = { storage: 'rgba32float', float32: 'rgba32float', words: 'rgba32uint', bytes: 'rgba8sint' } as const;

const constantBytesOf = ({ elements, precision: kept }: PackedConstant, precision: Precision): number =>
  elements * (kept === 'bytes' ? 1 : kept === 'storage' && isHalf(precision) ? 2 : 4);

function pipelineOf(
  program: Program,
  slots: readonly ConstantSlot[],
  names: Names,
  textures: readonly TextureSpec[],
): PipelineSpec {
  const typeOf = (binding: Binding) => {
    if (binding.role === 'shape') return 'uniform';
    if (binding.role === 'output') return 'write';
    if (binding.role === 'constant' && binding.uniformBytes) return 'uniform';
    const texture = binding.role === 'constant' ? slots[binding.index]!.texture : undefined;
    if (texture === undefined) return 'read';
    const [whole] = (/[us]int$/.exec(textures[texture]!.format) ?? []) as ('uint' | 'sint')[];
    return whole ? (`texture-${whole}` as const) : 'texture';
  };
  const constants = { ...program.constants, ...names };
  const { file, source, fragments, prelude } = program;
  // The texts themselves: kernels of one file exchange fragments.
  const key = [file, JSON.stringify(constants), source, prelude?.source, ...Object.values(fragments ?? {})].join('\n');
  if (codes.size > MOST_CODES) codes.clear();
  const code = codes.get(key) ?? shaderCode(file, source, constants, fragments, prelude);
  codes.set(key, code);
  return {
    label: program.file,
    code,
    overrides: program.overrides,
    bindings: program.bindings.map(typeOf),
  };
}

/**
 * When each tensor is written and last read. Outputs live to the end; a graph input is written before the first
 * dispatch. Without aliasing every tensor lives all the time.
 */
export function liveTensors(graph: Graph, bytesOf: (tensor: string) => number, aliasing = true): LiveTensor[] {
  const end = graph.nodes.length;
  const lastRead = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const name of node.inputs) lastRead.set(name, i);
  });
  for (const { tensor } of graph.outputs) lastRead.set(tensor, end);
  const tensor = (name: string, from: number, readByProducer: readonly string[]): LiveTensor => ({
    name,
    bytes: align(bytesOf(name)),
    from: aliasing ? from : -1,
    to: aliasing ? (lastRead.get(name) ?? from) : end,
    readByProducer,
  });
  return [
    ...graph.inputs.map(({ name }) => tensor(name, -1, [])),
    ...graph.nodes.flatMap((node, i) => writtenBy(node).map((name) => tensor(name, i, node.inputs))),
  ];
}

/** Packs the weights of `graph` for its plan, a constant at a time, in the order of the buffer; `kernels` as from `kernelsOf`. */
export function* packConstants(graph: Graph, plan: Plan, kernels: KernelRegistry): Generator<ConstantUpload> {
  const shapes = inferShapes(graph);
  const slots = plan.constants.values();
  for (const [i, node] of graph.nodes.entries()) {
    const nodeShapes = shapesOf(node, shapes);
    const kernel = kernelNamed(kernels, plan.dispatches[i]!.kernel, node.op);
    for (const constant of kernel.constants(node, nodeShapes)) {
      const slot = slots.next().value;
      if (slot?.node !== node.name || slot.bytes !== constantBytesOf(constant, plan.precision)) {
        throw new GraphError(`${graph.name}: the plan was made for other weights than those of node "${node.name}"`);
      }
      const packed = constant.pack();
      const half = constant.precision === 'storage' && isHalf(plan.precision);
      yield { slot, data: half ? toFloat16(packed as Float32Array) : packed };
    }
  }
}

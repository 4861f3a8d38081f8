/** Damage to one operation of a small sound file: what it reads and writes, its options, its constants, the network's input. */
import type { ModelFiles } from '../../src/loaders/index.ts';
import * as onnx from './onnx-writer.ts';
import * as tfjs from './tfjs-writer.ts';
import * as tflite from './tflite-writer.ts';

/** A sound file, and which of its operations is damaged: the last unless it says otherwise. */
export interface Sound<Spec> {
  readonly spec: Spec;
  readonly at?: number;
  /** Constants whose every value means something. */
  readonly free?: readonly string[];
  /** Inputs without which it means something else. */
  readonly some?: readonly number[];
  /** Further damage, that only this operation can have. */
  readonly more?: Readonly<Record<string, Spec>>;
}

export interface Damage {
  readonly sound: ModelFiles;
  /** By what was done to it. */
  readonly damaged: ReadonlyMap<string, ModelFiles>;
}

const replaced = <T>(list: readonly T[], at: number, by: T): T[] => list.map((one, i) => (i === at ? by : one));
const without = <T>(list: readonly T[], at: number): T[] => list.filter((_, i) => i !== at);

/** Shapes that hold another number of elements, or none at all. */
const otherShapes = (dims: readonly number[]): readonly (readonly number[])[] => [
  [...dims, 2],
  [...dims.slice(0, -1), (dims.at(-1) ?? 1) + 1],
  [...dims.slice(0, -1), -1],
  [2 ** 30, 2 ** 30],
];

/** As `tflite.tfliteFile` writes it. */
export function tfliteDamage({
  spec,
  at = spec.operators.length - 1,
  some = [],
  more = {},
}: Sound<tflite.ModelSpec>): Damage {
  const file = (model: tflite.ModelSpec): ModelFiles => ({ name: 'm.tflite', bytes: tflite.tfliteFile(model) });
  const damaged = new Map(Object.entries(more).map(([what, model]) => [what, file(model)]));
  const { options, ...bare } = spec.operators[at]!;
  const whole = spec.operators[at]!;
  const { inputs, output, also = [], custom } = whole;
  const operator = (what: string, changed: tflite.OperatorSpec) =>
    damaged.set(what, file({ ...spec, operators: replaced(spec.operators, at, changed) }));
  const tensor = (what: string, name: string, changed: Partial<tflite.TensorSpec>) => {
    const tensors = spec.tensors.map((own) => (own.name === name ? { ...own, ...changed } : own));
    damaged.set(`${name}: ${what}`, file({ ...spec, tensors }));
  };

  inputs.forEach((_, i) => {
    if (!some.includes(i)) operator(`without input ${i}`, { ...whole, inputs: without(inputs, i) });
    operator(`input ${i} is tensor 9999`, { ...whole, inputs: replaced(inputs, i, 9999) });
    operator(`input ${i} is tensor -1`, { ...whole, inputs: replaced(inputs, i, -1) });
    operator(`input ${i} is its own output`, { ...whole, inputs: replaced(inputs, i, output) });
  });
  operator('no inputs', { ...whole, inputs: [] });
  if (inputs.length > 1) operator('inputs the other way round', { ...whole, inputs: [...inputs].reverse() });
  operator('writes what it reads', { ...whole, output: inputs[0]! });
  operator('writes tensor 9999', { ...whole, output: 9999 });
  operator('writes its output twice', { ...whole, also: [...also, output] });
  operator('an operator that nobody knows', { ...whole, op: 9999 });
  damaged.set('stands there twice', file({ ...spec, operators: [...spec.operators, whole] }));

  if (options) {
    operator('no options', bare);
    operator('options of another operator', { ...whole, optionsType: 99 });
    for (const [field, value] of Object.entries(options)) {
      const bad = typeof value === 'number' ? [0, -9, 2 ** 31 - 1] : [];
      if (Array.isArray(value)) bad.push(value[0] === 'byte' ? 77 : Number.NaN);
      for (const number of bad) {
        const changed = Array.isArray(value) ? ([value[0], number] as const) : number;
        operator(`option ${field} is ${number}`, { ...whole, options: { ...options, [field]: changed } });
      }
    }
  }
  if (custom) {
    for (const length of [0, 3, custom.options.length - 1]) {
      const cut = { ...custom, options: custom.options.slice(0, length) };
      operator(`${length} bytes of options`, { ...whole, custom: cut });
    }
  }

  for (const { name, dims, data, type = 'FLOAT32' } of spec.tensors) {
    if (!inputs.includes(name) || !data) continue;
    for (const other of otherShapes(dims)) tensor(`[${other}]`, name, { dims: other });
    tensor('a byte short', name, { data: data.slice(0, -1) });
    tensor('twice the bytes', name, { data: Uint8Array.from([...data, ...data]) });
    tensor('ones in all bits', name, { data: new Uint8Array(data.length).fill(0xff) });
    if (type === 'INT32') tensor('two thousand million', name, { data: new Uint8Array(data.length).fill(0x7f) });
    tensor('text', name, { type: 'STRING' });
    tensor('another type', name, { type: type === 'INT32' ? 'FLOAT32' : 'INT32' });
    tensor('buffer 99', name, { buffer: 99 });
    tensor('a scale of 0', name, { scales: [0] });
    tensor('two scales and one zero point', name, { scales: [1, 1], zeroPoints: [0] });
  }
  for (const name of spec.inputs ?? ['x']) {
    if (typeof name === 'number') continue;
    const { dims } = spec.tensors.find((own) => own.name === name)!;
    tensor('no rows', name, { dims: [1, 0, ...dims.slice(2)] });
    tensor('-7 rows', name, { dims: [1, -7, ...dims.slice(2)] });
    tensor('five dimensions', name, { dims: [1, ...dims] });
    tensor('too many pixels', name, { dims: [1, 2 ** 24, 2 ** 24, 3] });
    tensor('text', name, { type: 'STRING' });
    tensor('a scale of NaN', name, { type: 'INT8', scales: [Number.NaN] });
    tensor('buffer 99', name, { buffer: 99 });
    tensor('two scales and one zero point', name, { scales: [1, 1], zeroPoints: [0] });
    tensor('a zero point of 300', name, { type: 'INT8', scales: [1], zeroPoints: [300] });
  }
  if (typeof output === 'string') {
    tensor('a negative scale', output, { type: 'INT8', scales: [-1], zeroPoints: [0] });
    tensor('two zero points', output, { type: 'INT8', scales: [1], zeroPoints: [0, 0] });
  }
  return { sound: file(spec), damaged };
}

/** As `onnx.writeOnnx` writes it. */
export function onnxDamage({
  spec,
  at = spec.nodes.length - 1,
  free = [],
  some = [],
  more = {},
}: Sound<onnx.ModelSpec>): Damage {
  const file = (model: onnx.ModelSpec): ModelFiles => ({ name: 'm.onnx', bytes: onnx.writeOnnx(model) });
  const damaged = new Map(Object.entries(more).map(([what, model]) => [what, file(model)]));
  const whole = spec.nodes[at]!;
  const { inputs = [], outputs, attributes = {} } = whole;
  const node = (what: string, changed: Partial<onnx.NodeSpec>) =>
    damaged.set(what, file({ ...spec, nodes: replaced(spec.nodes, at, { ...whole, ...changed }) }));
  inputs.forEach((name, i) => {
    if (name === '') return;
    if (!some.includes(i)) node(`without input ${i}`, { inputs: without(inputs, i) });
    node(`input ${i} is left out`, { inputs: replaced(inputs, i, '') });
    node(`input ${i} is nothing's`, { inputs: replaced(inputs, i, 'gone') });
    node(`input ${i} is its own output`, { inputs: replaced(inputs, i, outputs[0]!) });
  });
  node('no inputs', { inputs: [] });
  if (inputs.length > 1) node('inputs the other way round', { inputs: [...inputs].reverse() });
  node('writes what it reads', { outputs: [inputs[0]!, ...outputs.slice(1)] });
  node('writes another name', { outputs: outputs.map((name) => `${name}?`) });
  node('of a domain that nobody knows', { domain: 'nobody' });
  node('an operation that nobody knows', { op: 'NoSuch' });
  damaged.set('stands there twice', file({ ...spec, nodes: [...spec.nodes, whole] }));
  damaged.set('operator set 6', file({ ...spec, opset: 6 }));
  damaged.set('no inputs of the network', file({ ...spec, inputs: [] }));
  damaged.set('no outputs of the network', file({ ...spec, outputs: [] }));

  for (const [key, value] of Object.entries(attributes)) {
    const attribute = (what: string, changed: onnx.AttributeSpec) =>
      node(`${key} is ${what}`, { attributes: { ...attributes, [key]: changed } });
    attribute('of another type', 'string' in value ? { ints: [1] } : { string: 'x' });
    if ('int' in value) for (const int of [-9, 99]) attribute(String(int), { int });
    if ('string' in value) attribute('unknown', { string: 'nonsense' });
    if ('ints' in value) {
      attribute('one too long', { ints: [...value.ints, 1] });
      attribute('negative', { ints: value.ints.map(() => -9) });
      attribute('huge', { ints: value.ints.map(() => 2 ** 40) });
    }
  }
  const initializers = (spec.initializers ?? {}) as Readonly<Record<string, onnx.TensorSpec>>;
  for (const [name, own] of Object.entries(initializers)) {
    if (!inputs.includes(name)) continue;
    const { dims, type = 'float', values = [] } = own;
    const constant = (what: string, changed: Partial<onnx.TensorSpec>) =>
      damaged.set(
        `${name}: ${what}`,
        file({ ...spec, initializers: { ...initializers, [name]: { ...own, ...changed } } }),
      );
    for (const other of otherShapes(dims)) constant(`[${other}]`, { dims: other });
    constant('a byte short', { raw: onnx.rawBytes(type, values).slice(0, -1) });
    constant('a value more', { values: [...Array.from(values), 1] });
    constant('text', { type: 'string', raw: new Uint8Array(values.length) });
    if (free.includes(name)) continue;
    const bad = type === 'float' ? [Number.NaN] : [-99, 2 ** 40];
    for (const number of bad) constant(String(number), { values: Array.from(values, () => number) });
  }
  const networkInputs = spec.inputs ?? [];
  networkInputs.forEach((own, i) => {
    const input = (what: string, changed: Partial<onnx.ValueSpec>) =>
      damaged.set(
        `${own.name}: ${what}`,
        file({ ...spec, inputs: replaced(networkInputs, i, { ...own, ...changed }) }),
      );
    input('five dimensions', { dims: [1, ...(own.dims ?? [])] });
    input('too many pixels', { dims: [1, 3, 2 ** 30, 2 ** 30] });
    input('open rows', { dims: [1, 4, 0, 4] });
    input('text', { type: 'string' });
  });
  return { sound: file(spec), damaged };
}

/** As `tfjs.writeTfjs` writes it. */
export function tfjsDamage({
  spec,
  at = spec.nodes.length - 1,
  free = [],
  some = [],
  more = {},
}: Sound<tfjs.TfjsSpec>): Damage {
  const file = (model: tfjs.TfjsSpec): ModelFiles => {
    const { bytes, shard } = tfjs.writeTfjs(model);
    return { name: 'model.json', bytes, read: async () => shard };
  };
  const damaged = new Map(Object.entries(more).map(([what, model]) => [what, file(model)]));
  const whole = spec.nodes[at]!;
  const { name: own, input: inputs = [], attr = {} } = whole;
  const node = (what: string, changed: Partial<tfjs.TfjsNodeSpec>) =>
    damaged.set(what, file({ ...spec, nodes: replaced(spec.nodes, at, { ...whole, ...changed }) }));
  inputs.forEach((_, i) => {
    if (!some.includes(i)) node(`without input ${i}`, { input: without(inputs, i) });
    node(`input ${i} is nothing's`, { input: replaced(inputs, i, 'gone') });
    node(`input ${i} is its own output`, { input: replaced(inputs, i, own) });
    node(`input ${i} is a second output`, { input: replaced(inputs, i, `${inputs[i]}:1`) });
  });
  node('no inputs', { input: [] });
  if (inputs.length > 1) node('inputs the other way round', { input: [...inputs].reverse() });
  node('an operation that nobody knows', { op: 'NoSuch' });
  node('no name', { name: '' });
  node('the name of an input', { name: Object.keys(spec.inputs)[0]! });
  node('an operation that is no name', { op: 5 as unknown as string });
  node('inputs that are no names', { input: inputs.map((_, i) => i as unknown as string) });
  damaged.set('stands there twice', file({ ...spec, nodes: [...spec.nodes, whole] }));
  const gone = { outputs: { y: { name: 'gone:0' } } };
  damaged.set('an output that nothing makes', file({ ...spec, signature: gone }));
  const after = { name: 'after', op: 'Relu', input: [own] };
  const turned = replaced(spec.nodes, at, { ...whole, input: ['after', ...inputs.slice(1)] });
  damaged.set('reads what follows it', file({ ...spec, nodes: [...turned, after] }));

  for (const [key, value] of Object.entries(attr)) {
    const attribute = (what: string, changed: tfjs.TfjsAttribute) =>
      node(`${key} is ${what}`, { attr: { ...attr, [key]: changed } });
    attribute('of another type', 's' in value ? { ints: [1] } : { s: 'x' });
    if ('s' in value) attribute('unknown', { s: 'nonsense' });
    if ('b' in value) attribute('text', { b: 'true' as unknown as boolean });
    if ('f' in value) attribute('text', { f: '1' as unknown as number });
    if ('ints' in value) {
      attribute('one too long', { ints: [...value.ints, 1] });
      attribute('one too short', { ints: value.ints.slice(1) });
      attribute('negative', { ints: value.ints.map(() => -9) });
      if (value.ints.some((v) => v > 1)) attribute('huge', { ints: value.ints.map((v) => (v > 1 ? 2 ** 40 : v)) });
      attribute('no whole numbers', { ints: value.ints.map(() => 1.5) });
    }
  }
  const weights = spec.weights ?? {};
  for (const [name, stored] of Object.entries(weights)) {
    if (!inputs.includes(name)) continue;
    const { shape, values, dtype = 'float32' } = stored;
    const weight = (what: string, changed: object) =>
      damaged.set(`${name}: ${what}`, file({ ...spec, weights: { ...weights, [name]: { ...stored, ...changed } } }));
    for (const other of otherShapes(shape)) weight(`[${other}]`, { shape: other });
    weight('a value more', { values: [...Array.from(values), 1] });
    weight('text', { dtype: 'string' });
    weight('quantised without a scale', { quantization: { dtype: 'uint8', min: 0 } });
    if (free.includes(name)) continue;
    for (const number of dtype === 'float32' ? [Number.NaN] : [-99, 2 ** 30]) {
      weight(String(number), { values: Array.from(values, () => number) });
    }
  }
  for (const [name, { shape }] of Object.entries(spec.inputs)) {
    const input = (what: string, changed: { shape: readonly number[]; dtype?: string }) =>
      damaged.set(`${name}: ${what}`, file({ ...spec, inputs: { ...spec.inputs, [name]: changed } }));
    input('five dimensions', { shape: [1, ...shape] });
    input('open sizes', { shape: shape.map(() => -1) });
    input('no rows', { shape: [1, 0, ...shape.slice(2)] });
    input('too many pixels', { shape: [1, 2 ** 24, 2 ** 24, 3] });
    input('text', { shape, dtype: 'DT_STRING' });
  }
  return { sound: file(spec), damaged };
}

/** A layer of a Keras model on inputs of these shapes, and its weights. */
export interface LayerSpec {
  readonly inputs: readonly (readonly number[])[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights?: Readonly<Record<string, readonly number[]>>;
}

export function layerDamage(kind: string, { inputs, config, weights = {} }: LayerSpec): Damage {
  const names = inputs.map((_, i) => `x${i}`);
  interface Changed {
    readonly kind?: string;
    readonly config?: LayerSpec['config'];
    readonly weights?: Readonly<Record<string, readonly number[]>>;
    readonly from?: readonly string[];
    readonly shapes?: readonly (readonly unknown[])[];
    readonly bytes?: number;
    /** Layers after it. */
    readonly more?: readonly object[];
  }
  const file = ({ bytes = 0, ...changed }: Changed): ModelFiles => {
    const layer = (class_name: string, name: string, own: object, from: readonly string[]) => ({
      ...{ class_name, name, config: { name, ...own } },
      inbound_nodes: from.length > 0 ? [from.map((read) => [read, 0, 0, {}])] : [],
    });
    const shapes = changed.shapes ?? inputs;
    const layers = [
      ...names.map((name, i) => layer('InputLayer', name, { batch_input_shape: [null, ...shapes[i]!] }, [])),
      layer(changed.kind ?? kind, 'y', changed.config ?? config, changed.from ?? names),
      ...(changed.more ?? []),
    ];
    const ends = { input_layers: names.map((name) => [name, 0, 0]), output_layers: [['y', 0, 0]] };
    const list = Object.entries(changed.weights ?? weights);
    const manifest = list.map(([name, shape]) => ({ name: `y/${name}`, shape, dtype: 'float32' }));
    const json = {
      format: 'layers-model',
      modelTopology: { class_name: 'Functional', config: { name: 'm', layers, ...ends } },
      weightsManifest: [{ paths: ['w.bin'], weights: manifest }],
    };
    const values = list.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const shard = new Uint8Array(Math.max(0, 4 * values + bytes));
    return { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)), read: async () => shard };
  };
  const damaged = new Map<string, ModelFiles>();
  const add = (what: string, changed: Changed) => damaged.set(what, file(changed));
  for (const key of Object.keys(config)) {
    for (const value of [-9, 0, 1.5, 2 ** 40, 'nonsense', [1, 2, 9], {}]) {
      add(`${key} is ${JSON.stringify(value)}`, { config: { ...config, [key]: value } });
    }
  }
  for (const [name, shape] of Object.entries(weights)) {
    const { [name]: _, ...others } = weights;
    add(`no ${name}`, { weights: others });
    add(`${name} of one value more a row`, {
      weights: { ...weights, [name]: [...shape.slice(0, -1), shape.at(-1)! + 1] },
    });
    add(`${name} of one dimension more`, { weights: { ...weights, [name]: [...shape, 1] } });
    add(`${name} of no size`, { weights: { ...weights, [name]: [-1, ...shape.slice(1)] } });
  }
  names.forEach((name, i) => {
    const shape = inputs[i]!;
    add(`${name} is left out`, { from: without(names, i) });
    add(`${name} is another layer's`, { from: replaced(names, i, 'gone') });
    add(`${name} is its own output`, { from: replaced(names, i, 'y') });
    add(`${name} of no rows`, { shapes: replaced(inputs, i, [0, ...shape.slice(1)]) });
    add(`${name} of text`, { shapes: replaced<readonly unknown[]>(inputs, i, ['4', ...shape.slice(1)]) });
    add(`${name} of open sizes`, {
      shapes: replaced<readonly unknown[]>(
        inputs,
        i,
        shape.map(() => null),
      ),
    });
    add(`${name} of five dimensions`, { shapes: replaced(inputs, i, [1, 1, ...shape]) });
    add(`${name} of too many pixels`, { shapes: replaced(inputs, i, [2 ** 24, 2 ** 24, 3]) });
  });
  if (names.length === 1) add('one input more', { from: [...names, names[0]!] });
  add('a layer that nobody knows', { kind: 'NoSuch' });
  add('its name twice', { more: [{ class_name: 'ReLU', name: 'y', config: { name: 'y' }, inbound_nodes: [] }] });
  add('a layer without a class', { more: [{ name: 'z', config: { name: 'z' }, inbound_nodes: [] }] });
  if (Object.keys(weights).length > 0) add('its weights a value short', { bytes: -4 });
  add('its weights a value long', { bytes: 4 });
  return { sound: file({}), damaged };
}

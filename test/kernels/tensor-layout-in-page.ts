/** Runs of buffers, beside the same runs of arrays. */
import { openGpu } from '../../src/device/gpu.ts';
import { type BufferInputs, type Graph, type Inputs, load, type Model, type RunOptions } from '../../src/index.ts';
import { toChannelsFirst } from '../../src/layout.ts';
import { counted } from '../scheduler/in-page.ts';
import { randomValues } from '../support/random-values.ts';
import { smallNetwork } from '../tuning/small-network.ts';

/** Two inputs, two images at once, two outputs, of channels that fill fours or do not. */
function sums(channels: number): Graph {
  const shape = [2, 3, 4, channels] as const;
  return {
    name: `sums of ${channels}`,
    inputs: ['a', 'b'].map((name) => ({ name, shape })),
    outputs: ['sum', 'cut'].map((name) => ({ name, tensor: name })),
    nodes: [
      { op: 'add', name: 'sum', inputs: ['a', 'b'], output: 'sum', activation: 'none' },
      { op: 'clip', name: 'cut', inputs: ['sum'], output: 'cut', min: -0.5, max: 0.5 },
    ],
  };
}

const usage = { in: 0x80 | 8 /* STORAGE | COPY_DST */, out: 0x80 | 4 /* STORAGE | COPY_SRC */ };

function uploaded(device: GPUDevice, values: Float32Array, flags = usage.in): GPUBuffer {
  const buffer = device.createBuffer({ size: values.byteLength, usage: flags });
  device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  return buffer;
}

const room = (device: GPUDevice, values: number) => device.createBuffer({ size: 4 * values, usage: usage.out });

async function contents(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const copy = device.createBuffer({ size: buffer.size, usage: 1 | 8 /* MAP_READ | COPY_DST */ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  const values = new Float32Array(copy.getMappedRange()).slice();
  copy.destroy();
  return values;
}

const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

const sized = (model: Model, name: string) =>
  model.outputs.find((output) => output.name === name)!.shape.reduce((product, side) => product * side, 1);

/** In every mixture of arrays and buffers, whether each output is that of arrays alone. */
async function mixtures(model: Model, device: GPUDevice, layout: 'nhwc' | 'nchw'): Promise<Record<string, boolean>> {
  const found: Record<string, boolean> = {};
  const arrays: Record<string, Float32Array> = {};
  for (const { name, shape } of model.inputs) {
    const values = randomValues(
      shape.reduce((product, side) => product * side, 1),
      arrays.a ? 12 : 11,
    );
    arrays[name] = layout === 'nhwc' ? values : toChannelsFirst({ [name]: values }, [{ name, shape }])[name]!;
  }
  const expected = await model.run(arrays, { layout });
  const [first, ...others] = model.inputs.map(({ name }) => name);
  const given: Record<string, readonly string[]> = { arrays: [], one: [first!], all: [first!, ...others] };
  const names = model.outputs.map(({ name }) => name);
  const wanted: Record<string, readonly string[]> = { read: [], first: names.slice(0, 1), all: names };
  const each = Object.entries(given).flatMap(([from, buffered]) =>
    Object.entries(wanted).map(async ([to, written]) => {
      const inputs = Object.fromEntries(
        Object.entries(arrays).map(([name, values]) => [
          name,
          buffered.includes(name) ? uploaded(device, values) : values,
        ]),
      );
      const into = Object.fromEntries(written.map((name) => [name, room(device, sized(model, name))]));
      const read = await model.run(inputs, { layout, ...(written.length > 0 && { into }) });
      for (const name of names) {
        const values = into[name] ? await contents(device, into[name]) : read[name]!;
        found[`${layout}: ${from} → ${to}: ${name}`] = same(values, expected[name]!) && name in read !== name in into;
      }
    }),
  );
  await Promise.all(each);
  return found;
}

/** Of networks, layouts and kinds of storage. */
export async function compareMixtures(): Promise<Record<string, boolean>> {
  const { device } = await openGpu();
  const found: Record<string, boolean> = {};
  for (const graph of [sums(5), sums(8), smallNetwork()]) {
    for (const precision of ['float32', 'float16-storage'] as const) {
      const model = await load(graph, { gpuDevice: device, tuning: 'off', selfCheck: 'off', precision });
      if (model.gpuDevice !== device) found['the device is another'] = false;
      const both = await Promise.all((['nhwc', 'nchw'] as const).map((layout) => mixtures(model, device, layout)));
      for (const [what, right] of both.flatMap((one) => Object.entries(one))) {
        found[`${graph.name} in ${precision}, ${what}`] = right;
      }
      model.dispose();
    }
  }
  device.destroy();
  return found;
}

/** A model's output as the next one's input, many times at once; what a warm run makes; and buffers that outlive the model. */
export async function chain() {
  const model = await load(smallNetwork(), { device: 'webgpu', tuning: 'off', selfCheck: 'off' });
  const device = model.gpuDevice!;
  const image = randomValues(17 * 17 * 3, 7);
  const [input, output] = [uploaded(device, image), room(device, 10)];
  await model.run(input, { into: output });
  const made = await counted(async () => void (await model.run(input, { into: output })));
  const rooms = Array.from({ length: 7 }, () => room(device, 10));
  await Promise.all(rooms.map((into) => model.run(input, { into })));
  const expected = (await model.run(image)).y!;
  const all = await Promise.all(rooms.map((one) => contents(device, one)));
  // Of tensors of one shape: in place.
  const clip: Graph = { ...sums(5), outputs: [{ name: 'sum', tensor: 'sum' }], nodes: sums(5).nodes.slice(0, 1) };
  const twice = await load(clip, { gpuDevice: device, tuning: 'off', selfCheck: 'off' });
  const a = randomValues(120, 3);
  const place = uploaded(device, a, usage.in | usage.out);
  for (let i = 0; i < 2; i++) await twice.run({ a: place, b: a }, { into: place });
  const three = await contents(device, place);
  twice.dispose();
  model.dispose();
  return {
    made,
    equal: all.every((values) => same(values, expected)),
    three: same(
      three,
      a.map((value) => Math.fround(Math.fround(value + value) + value)),
    ),
  };
}

/** What is thrown for what does not fit: the class and the text of each. */
export async function refusals(): Promise<Record<string, string>> {
  const model = await load(smallNetwork(), { device: 'webgpu', tuning: 'off', selfCheck: 'off' });
  const device = model.gpuDevice!;
  const other = (await openGpu()).device;
  const two = await load(sums(5), { gpuDevice: device, tuning: 'off', selfCheck: 'off' });
  const reference = await load(smallNetwork(), { device: 'reference' });
  const image = randomValues(17 * 17 * 3, 7);
  const bytes = image.byteLength;
  const buffer = (size: number, flags: number, on = device) => on.createBuffer({ size, usage: flags });
  const destroyed = buffer(bytes, usage.in);
  destroyed.destroy();
  const later = uploaded(device, image);
  await model.run(later);
  later.destroy();
  const mapped = device.createBuffer({ size: bytes, usage: usage.in, mappedAtCreation: true });
  const output = room(device, 120);
  const attempts: Record<string, [Model, Inputs | BufferInputs, RunOptions?]> = {
    size: [model, buffer(bytes + 16, usage.in)],
    usage: [model, buffer(bytes, 8)],
    device: [model, buffer(bytes, usage.in, other)],
    destroyed: [model, destroyed],
    later: [model, later],
    mapped: [model, mapped],
    unnamed: [two, buffer(480, usage.in)],
    missing: [two, { a: buffer(480, usage.in) }],
    unknown: [model, { x: buffer(bytes, usage.in), z: buffer(bytes, usage.in) }],
    into: [model, image, { into: { z: room(device, 10) } }],
    'into size': [model, image, { into: room(device, 12) }],
    'into usage': [model, image, { into: buffer(40, 8) }],
    'into device': [model, image, { into: room(other, 10) }],
    'into array': [model, image, { into: { y: image as never } }],
    twice: [two, { a: randomValues(120, 1), b: randomValues(120, 2) }, { into: { sum: output, cut: output } }],
    layout: [model, image, { into: room(device, 10), layout: 'chw' as never }],
    reference: [reference, buffer(bytes, usage.in)],
  };
  const told: Record<string, string> = {};
  for (const [what, [on, inputs, options]] of Object.entries(attempts)) {
    told[what] = await on.run(inputs, options).then(
      () => 'nothing thrown',
      (error: Error) => `${error.constructor.name}: ${error.message}`,
    );
  }
  // All that went wrong leaves the model as it was.
  const expected = await reference.run(image);
  const { y } = await model.run(uploaded(device, image));
  told.afterwards = y!.every((value, i) => Math.abs(value - expected.y![i]!) < 1e-4) ? 'right' : 'wrong';
  for (const one of [model, two, reference]) one.dispose();
  other.destroy();
  return told;
}

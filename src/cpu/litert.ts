import { DeviceError } from '../errors.ts';
import { inferShapes } from '../graph/shapes.ts';
import type { CpuEngine, CpuExecutor, CpuFiles, CpuNetwork } from './engine.ts';
import { endsOf, type FileEnd, type FileEnds } from './file-ends.ts';
import { type LiteRtFactory, type LiteRtModule, listOf, type TensorBuffer } from './litert-module.ts';
import { factoryOf } from './script.ts';

/** One module for each place: its heap is shared by all networks of a page. */
const modules = new Map<string, Promise<LiteRtModule>>();

/** XNNPACK by LiteRT.js, whose files (`@litertjs/core` 2.5) are fetched when the first network is opened. */
export const liteRt = (files: CpuFiles): CpuEngine => liteRtBy(files, factoryOf);

/** `factory` runs the script at an address and gives what it defines. */
export function liteRtBy(files: CpuFiles, factory: (address: string) => Promise<LiteRtFactory | undefined>): CpuEngine {
  const locate = locator(files);
  return {
    name: 'LiteRT.js (XNNPACK)',
    async open(network) {
      const script = `litert_wasm_${hasRelaxedSimd() ? '' : 'compat_'}internal.js`;
      const address = locate(script);
      let module = modules.get(address);
      if (!module) {
        module = started(address, factory, locate);
        modules.set(address, module);
        // What could not be fetched may be there the next time.
        module.catch(() => modules.delete(address));
      }
      return openNetwork(await module, network);
    },
  };
}

async function started(
  address: string,
  factory: (address: string) => Promise<LiteRtFactory | undefined>,
  locateFile: (name: string) => string,
): Promise<LiteRtModule> {
  try {
    const make = await factory(address);
    if (typeof make !== 'function') throw new Error('it is no script of LiteRT.js, for it defines no ModuleFactory');
    return await make({ locateFile, print: () => {}, printErr: () => {} });
  } catch (error) {
    throw failure(`could not be loaded from ${address}`, error);
  }
}

function locator(files: CpuFiles): (name: string) => string {
  if (typeof files === 'string' || files instanceof URL) {
    const folder = String(files).replace(/\/?$/, '/');
    const base = globalThis.document?.baseURI ?? globalThis.location?.href;
    return (name) => new URL(name, new URL(folder, base)).href;
  }
  return (name) => {
    const address = files[name];
    if (address === undefined) throw new DeviceError(`the option "cpu" names no address of LiteRT.js's file ${name}`);
    return address;
  };
}

/** A module whose one function is i8x16.relaxed_swizzle of two constants. */
// biome-ignore format: bytes
const relaxedSimdProbe = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0,
  10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11,
];

const hasRelaxedSimd = (): boolean => WebAssembly.validate(Uint8Array.from(relaxedSimdProbe));

/** Errors of C++ arrive as they were thrown. */
const failure = (what: string, cause: unknown): DeviceError =>
  new DeviceError(`LiteRT.js ${what}: ${(cause as Error)?.message ?? cause}`, { cause });

/** An input or output and its place among LiteRT's. */
interface Port extends FileEnd {
  readonly place: number;
}

async function openNetwork(module: LiteRtModule, { graph, file }: CpuNetwork): Promise<CpuExecutor> {
  const own = file && (await endsOf(graph, inferShapes(graph), file));
  if (own) {
    // An operator may be unknown to LiteRT.js that this engine reads.
    const opened = await compile(module, file, own, true).catch(() => null);
    if (opened) return opened;
  }
  const { writeTflite } = await import('../writers/tflite.ts');
  const asWritten = ({ name }: { readonly name: string }): FileEnd => {
    return { name, signatureName: name, type: 'FLOAT32', scale: 1, zeroPoint: 0 };
  };
  const ends = { inputs: graph.inputs.map(asWritten), outputs: graph.outputs.map(asWritten), integers: false };
  return compile(module, writeTflite(graph), ends, false);
}

async function compile(
  module: LiteRtModule,
  bytes: Uint8Array,
  { inputs, outputs, integers }: FileEnds,
  asFile: boolean,
): Promise<CpuExecutor> {
  const owned: { delete(): void }[] = [];
  const keep = <T extends { delete(): void }>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  const dispose = () => {
    for (const thing of owned.splice(0).reverse()) thing.delete();
  };
  try {
    const environment = keep(module.LiteRtEnvironment.create(null));
    const start = module._malloc(bytes.length);
    keep({ delete: () => module._free(start) });
    module.HEAPU8.set(bytes, start);
    const model = keep(module.loadModel(environment, start, bytes.length));
    const options = { environment: { liteRtEnvironment: environment }, accelerator: 'wasm' };
    const compiled = keep(
      await module.compileModel(environment, model, { ...options, cpuOptions: {}, gpuOptions: {}, webNNOptions: {} }),
    );
    const signature = keep(model.getSignature(0));
    const ports = (ends: readonly FileEnd[], names: readonly string[]): Port[] =>
      ends.map((end) => {
        const place = names.indexOf(end.signatureName);
        if (place < 0) throw new Error(`it has "${names.join('", "')}", not "${end.signatureName}"`);
        return { ...end, place };
      });
    const fed = ports(inputs, listOf(signature.inputNames()));
    const read = ports(outputs, listOf(signature.outputNames()));
    const types = fed.map(({ place }) => keep(model.getInputTensorType(0, place)));
    return {
      asFile,
      integers,
      dispose,
      async run(values) {
        const buffers: TensorBuffer[] = [];
        let results: TensorBuffer[] = [];
        try {
          fed.forEach((port, i) => {
            const kind = module.LiteRtTensorBufferType.HOST_MEMORY;
            const buffer = module.LiteRtTensorBuffer.createManaged(environment, kind, types[i]!, types[i]!.bytes());
            buffers[port.place] = buffer;
            store(module, buffer, port, values[i]!);
          });
          results = await compiled.run(0, buffers);
          return Object.fromEntries(read.map((port) => [port.name, valuesOf(module, results[port.place]!, port)]));
        } catch (error) {
          throw failure('could not run the network', error);
        } finally {
          for (const buffer of [...buffers, ...results]) buffer.delete();
        }
      },
    };
  } catch (error) {
    dispose();
    throw failure('could not open the network', error);
  }
}

function store(module: LiteRtModule, buffer: TensorBuffer, port: FileEnd, values: Float32Array): void {
  const place = buffer.lock(module.LiteRtTensorBufferLockMode.WRITE);
  try {
    const { buffer: heap } = module.HEAPU8;
    if (port.type === 'FLOAT32') new Float32Array(heap, place, values.length).set(values);
    else {
      const [low, high] = port.type === 'UINT8' ? [0, 255] : [-128, 127];
      const stored = new Uint8Array(heap, place, values.length);
      for (let i = 0; i < values.length; i++) {
        // As TensorFlow Lite rounds: halves away from zero.
        const steps = values[i]! / port.scale;
        const rounded = Math.sign(steps) * Math.round(Math.abs(steps)) + port.zeroPoint;
        stored[i] = Math.min(Math.max(rounded, low!), high!);
      }
    }
  } finally {
    buffer.unlock();
  }
}

function valuesOf(module: LiteRtModule, buffer: TensorBuffer, { type, scale, zeroPoint }: FileEnd): Float32Array {
  const place = buffer.lock(module.LiteRtTensorBufferLockMode.READ);
  try {
    const bytes = module.HEAPU8.slice(place, place + buffer.packedSize());
    if (type === 'FLOAT32') return new Float32Array(bytes.buffer);
    const stored = type === 'UINT8' ? bytes : new Int8Array(bytes.buffer);
    return Float32Array.from(stored, (value) => (value - zeroPoint) * scale);
  } finally {
    buffer.unlock();
  }
}

import type { Precision } from '../../src/index.ts';

/** An engine on a device. */
export interface EngineKey {
  readonly name: 'mobilenet-webgpu' | 'litert' | 'tfjs' | 'onnxruntime-web';
  readonly device: 'webgpu' | 'wasm';
}

/** An engine as a frame has it. */
export interface Setup extends EngineKey {
  /** One of `settingsOf`. */
  readonly setting: string;
  /** Whether this engine measures kernels after a first result, or stays with those shipped. */
  readonly tuned: boolean;
  /** `float16` of a peer: what it calls fp16. */
  readonly precision: Precision;
}

/** Every engine that is measured, this one first. */
export const engineKeys: readonly EngineKey[] = [
  { name: 'mobilenet-webgpu', device: 'webgpu' },
  { name: 'litert', device: 'webgpu' },
  { name: 'tfjs', device: 'webgpu' },
  { name: 'onnxruntime-web', device: 'webgpu' },
  { name: 'tfjs', device: 'wasm' },
  { name: 'litert', device: 'wasm' },
  { name: 'onnxruntime-web', device: 'wasm' },
];

/** Those that have half precision. */
export const halfKeys: readonly EngineKey[] = engineKeys.filter(
  ({ name, device }) => device === 'webgpu' && name !== 'tfjs',
);

/** Those that are given a quantised file as it is. */
export const quantisedKeys: readonly EngineKey[] = engineKeys.filter(({ name }) =>
  /^(mobilenet-webgpu|litert)$/.test(name),
);

/** The half precisions of this engine. */
export const ourHalves: readonly Precision[] = ['float16-storage', 'float16'];

/** Those of a quantised file. */
export const ourOfIntegers: readonly Precision[] = ['int8', 'float32'];

export const isOurs = ({ name }: { readonly name: string }): boolean => name === 'mobilenet-webgpu';

/** The ways to set a peer up that are tried; the fastest counts. Without JSPI in the browser one of each is left. */
const settings: Readonly<Record<EngineKey['name'], readonly string[]>> = {
  'mobilenet-webgpu': [''],
  litert: ['JSPI, kept input', 'JSPI', 'kept input'],
  tfjs: ['one submit, compiled before', 'one submit'],
  'onnxruntime-web': ['JSPI, unchecked', 'unchecked'],
};

/** Settings of this engine for first results: what its self-check costs. */
export const withCheck = 'self-check';
export const withoutCheck = 'no self-check';

export const settingsOf = ({ name, device }: EngineKey): readonly string[] =>
  device === 'wasm' ? [''] : settings[name];

export const label = ({ name, device }: EngineKey): string => `${name} (${device})`;

/** The engines of a list such as `mobilenet-webgpu,tfjs/wasm`; throws on what is none. */
export function selectEngines(list: string, keys: readonly EngineKey[] = engineKeys): EngineKey[] {
  const wanted = list.split(',').map((entry) => entry.trim());
  const matches = (entry: string, { name, device }: EngineKey) => entry === name || entry === `${name}/${device}`;
  const unknown = wanted.find((entry) => !keys.some((key) => matches(entry, key)));
  if (unknown !== undefined) {
    const names = keys.map(({ name, device }) => `${name}/${device}`).join(', ');
    throw new Error(`there is no engine "${unknown}"; there are ${names}, or a name for all its devices`);
  }
  return keys.filter((key) => wanted.some((entry) => matches(entry, key)));
}

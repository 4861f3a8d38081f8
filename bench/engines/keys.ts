/** An engine on a device: a row of the results. */
export interface EngineKey {
  readonly name: 'mobilenet-webgpu' | 'litert' | 'tfjs' | 'onnxruntime-web';
  readonly device: 'webgpu' | 'wasm';
}

/** Every row that is measured, this engine first. */
export const engineKeys: readonly EngineKey[] = [
  { name: 'mobilenet-webgpu', device: 'webgpu' },
  { name: 'litert', device: 'webgpu' },
  { name: 'tfjs', device: 'webgpu' },
  { name: 'onnxruntime-web', device: 'webgpu' },
  { name: 'tfjs', device: 'wasm' },
  { name: 'litert', device: 'wasm' },
  { name: 'onnxruntime-web', device: 'wasm' },
];

export const label = ({ name, device }: EngineKey): string => `${name} (${device})`;

/** The rows of a list such as `mobilenet-webgpu,tfjs/wasm`; throws on what is none. */
export function selectEngines(list: string): EngineKey[] {
  const wanted = list.split(',').map((entry) => entry.trim());
  const matches = (entry: string, { name, device }: EngineKey) => entry === name || entry === `${name}/${device}`;
  const unknown = wanted.find((entry) => !engineKeys.some((key) => matches(entry, key)));
  if (unknown !== undefined) {
    const names = engineKeys.map(({ name, device }) => `${name}/${device}`).join(', ');
    throw new Error(`there is no engine "${unknown}"; there are ${names}, or a name for all its devices`);
  }
  return engineKeys.filter((key) => wanted.some((entry) => matches(entry, key)));
}

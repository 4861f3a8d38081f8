import type { AdapterDescription } from '../../src/device/gpu.ts';

/** A GPU whose compiler is asked. */
export interface CompiledFor {
  /** As the tool names it. */
  readonly name: string;
  readonly title: string;
  /** What Chrome tells of it. */
  readonly adapter: AdapterDescription;
}

/** What a browser may tell of hardware: nothing but what is given. */
export const adapterOf = (told: Partial<AdapterDescription>): AdapterDescription => ({
  vendor: '',
  architecture: '',
  description: '',
  software: false,
  features: [],
  ...told,
});

const usual = ['subgroups', 'shader-f16', 'timestamp-query'];

const gpu = (name: string, title: string, vendor: string, architecture: string, features = usual): CompiledFor => ({
  name,
  title,
  adapter: adapterOf({ vendor, architecture, features }),
});

export const gpus: readonly CompiledFor[] = [
  gpu('kbl', 'Intel UHD 620', 'intel', 'gen-9'),
  gpu('tgl', 'Intel Iris Xe', 'intel', 'gen-12lp'),
  gpu('lnl', 'Intel Lunar Lake', 'intel', 'xe-2lpg'),
  gpu('ptl', 'Intel Panther Lake', 'intel', 'xe-3lpg'),
  gpu('adreno660', 'Adreno 660', 'qualcomm', 'adreno-6xx'),
  gpu('adreno740', 'Adreno 740', 'qualcomm', 'adreno-7xx'),
  gpu('g610', 'Mali-G610', 'arm', 'valhall'),
  gpu('m1', 'Apple M1', 'apple', 'metal-3'),
  // Mesa's driver has no halves there yet.
  gpu('ampere', 'NVIDIA Ampere', 'nvidia', 'ampere', ['subgroups', 'timestamp-query']),
  gpu('navi21', 'AMD RDNA 2', 'amd', 'rdna-2'),
  gpu('navi31', 'AMD RDNA 3', 'amd', 'rdna-3'),
];

// Makes the compute pipelines of a JSON file [{ label, spec }]; the tool around it says what the compiler made of each.
import { readFileSync } from 'node:fs';
import { create } from 'webgpu';

const gpu = create(process.env.ISA_DAWN_FLAGS?.split(' ') ?? []);
const adapter = await gpu.requestAdapter();
const requiredFeatures = ['shader-f16', 'subgroups'].filter((feature) => adapter.features.has(feature));
const limits = ['maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX'];
const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });

const COMPUTE = 4;
const entryOf = (role, binding) => {
  if (role === 'texture') return { binding, visibility: COMPUTE, texture: { sampleType: 'unfilterable-float' } };
  const type = { uniform: 'uniform', read: 'read-only-storage', write: 'storage' }[role];
  return { binding, visibility: COMPUTE, buffer: { type } };
};

for (const { label, spec } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  // Drivers print what is equal once: the label makes each its own.
  const module = device.createShaderModule({ label, code: `${spec.code}\n// ${label}\n` });
  const bindGroupLayouts = [device.createBindGroupLayout({ entries: spec.bindings.map(entryOf) })];
  const layout = device.createPipelineLayout({ bindGroupLayouts });
  try {
    await device.createComputePipelineAsync({
      layout,
      compute: { module, entryPoint: 'main', constants: spec.overrides },
    });
  } catch (error) {
    process.stderr.write(`${label}: ${error.message}\n`);
  }
}
process.exit(0);

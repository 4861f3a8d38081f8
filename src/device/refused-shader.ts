import type { PipelineSpec } from '../planner/plan.ts';

/** What the compiler says of a shader that it refused, with the numbered source. */
export async function describeFailure(module: GPUShaderModule, spec: PipelineSpec, error: Error): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const found = messages.map(({ type, lineNum, linePos, message }) => `${type} at ${lineNum}:${linePos}: ${message}`);
  const numbered = spec.code.split('\n').map((line, i) => `${String(i + 1).padStart(4)} ${line}`);
  return [
    `${spec.label} was refused: ${error.message}`,
    ...found,
    `overrides: ${JSON.stringify(spec.overrides)}`,
    ...numbered,
  ].join('\n');
}

import { milliseconds } from '../ui/format.ts';
import type { EngineResult, Result } from './result.ts';

/** Whether the intervals of two medians lie apart; without intervals nobody can say. */
const apart = (a: EngineResult, b: EngineResult): boolean =>
  a.interval !== null && b.interval !== null && (a.interval[1] < b.interval[0] || b.interval[1] < a.interval[0]);

/** The answer in a sentence or two: what to run this network on, here. */
export function verdict({ engines }: Result): string {
  const gpu = engines.find(({ name }) => name === 'WebGPU');
  const cpu = engines.find(({ name }) => name === 'CPU engine');
  const reference = engines.find(({ name }) => name === 'CPU reference');
  const ms = ({ median }: EngineResult) => milliseconds(median);
  if (gpu && cpu) {
    const [fast, slow] = gpu.median <= cpu.median ? [gpu, cpu] : [cpu, gpu];
    const words = fast === gpu ? ['the GPU', 'the CPU'] : ['the CPU', 'the GPU'];
    const enough = [gpu, cpu].every(({ interval }) => interval !== null);
    if (apart(gpu, cpu)) return `Use ${words[0]} here: ${ms(fast)} against ${ms(slow)} on ${words[1]}.`;
    return enough
      ? `GPU and CPU are as fast as one another here: ${ms(gpu)} and ${ms(cpu)}, within what runs differ by.`
      : `${words[0] === 'the GPU' ? 'The GPU' : 'The CPU'} was faster, ${ms(fast)} against ${ms(slow)}; six runs or more say how sure that is.`;
  }
  if (gpu && reference) {
    const times = reference.median / gpu.median;
    return `An inference takes ${ms(gpu)} on the GPU, ${times >= 10 ? Math.round(times) : times.toFixed(1)} × less than the CPU reference, which is a validator and no fast CPU.`;
  }
  if (cpu) return `There is no GPU here: an inference takes ${ms(cpu)} on the CPU.`;
  return reference
    ? `There is no GPU here: the CPU reference takes ${ms(reference)}, and it is no fast CPU.`
    : 'Nothing was measured yet.';
}

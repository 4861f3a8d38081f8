import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformWithOxc } from 'vite';

const readme = join(fileURLToPath(new URL('../../', import.meta.url)), 'README.md');

/** The JavaScript and TypeScript blocks of the README, as JavaScript; those for Node apart. */
export async function readmeBlocks(): Promise<{ readonly pages: readonly string[]; readonly node: readonly string[] }> {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```(js|ts)\n([\s\S]*?)^```/gm)];
  const programs = await Promise.all(
    blocks.map(async ([, kind, text]) => (await transformWithOxc(text!, `block.${kind}`)).code),
  );
  const forNode = (program: string) => program.includes('mobilenet-webgpu/node');
  return { pages: programs.filter((program) => !forNode(program)), node: programs.filter(forNode) };
}

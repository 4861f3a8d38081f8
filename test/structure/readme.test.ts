/** Shell blocks of documents for users: the scripts, commands and flags that they name are there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runMain } from '../support/command.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Each command line of a document's shell blocks, without its comment; what a comment names of flags is of it, too. */
function shellLines(document: string): { readonly command: string; readonly flags: readonly string[] }[] {
  const blocks = [...readFileSync(join(root, document), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)];
  const lines = blocks.flatMap(([, block]) => block!.split('\n')).filter(Boolean);
  return lines.flatMap((line) =>
    line.split(' && ').map((command) => ({
      command: command.replace(/ +#.*/, '').trim(),
      flags: [...command.replace(/npm install [^,]*/, '').matchAll(/(?<=[\s`])--[a-z][\w-]*/g)].map(([flag]) => flag),
    })),
  );
}

const helps = new Map<string, string>();

/** What a script says of itself. */
async function helpOf(name: string): Promise<string> {
  const [program, file, command] = (scripts[name] as string).split(' ');
  let help = helps.get(name);
  if (help === undefined) {
    if (file === 'src/cli/run.mjs') {
      const { main } = await import(`../../src/cli/${command}.ts`);
      help = (await runMain(main, '--help')).stdout;
    } else {
      const { status, stdout } = spawnSync(program!, [file!, '--help'], { cwd: root, encoding: 'utf8' });
      expect([name, status]).toEqual([name, 0]);
      help = stdout;
    }
    helps.set(name, help);
  }
  return help;
}

it('of the README are of scripts and flags that there are', async () => {
  const lines = shellLines('README.md');
  expect(lines.length).toBeGreaterThan(15);
  for (const { command, flags } of lines) {
    const [, script] = /^npm (?:run )?(?!install\b)([\w:]+)/.exec(command) ?? [];
    const [, own] = /^npx mobilenet-webgpu (\w+)/.exec(command) ?? [];
    const name = script ?? own;
    if (!name) {
      expect(command).toMatch(/^npm install( |$)/);
      continue;
    }
    expect(Object.keys(scripts), command).toContain(name);
    if (flags.length === 0) continue;
    const help = await helpOf(name);
    for (const flag of flags) {
      expect(new RegExp(`(^|[^\\w-])${flag}(?![\\w-])`, 'm').test(help), `${flag} of ${name}`).toBe(true);
    }
  }
});

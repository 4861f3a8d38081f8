import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EngineServer } from '../../src/cli/engine-page.ts';
import type { Io } from '../../src/cli/io.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command in this process, by its `main`, as starting one takes seconds. */
export async function runMain(
  main: (argv: readonly string[], io: Io) => Promise<number>,
  ...argv: readonly string[]
): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const { signal } = new AbortController();
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), signal, engine: () => EngineServer.start() };
  const code = await main(argv, io);
  return { code, ...written };
}

/** A script of this repository as a user starts it. */
export function runScript(script: string, ...argv: readonly string[]): Promise<Ended> {
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...argv], { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/**
 * Runs the `main` of a TypeScript module (its path from the repository's root; src/cli/command.ts) and ends the process with its exit code.
 * Ctrl-C aborts the signal that it is given.
 */
export async function runCommand(module, argv) {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  const server = await createServer({
    root: fileURLToPath(new URL('../../', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    cacheDir: 'node_modules/.vite-commands',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  let code = 1;
  try {
    const { main } = await server.ssrLoadModule(module);
    const { stdout, stderr } = process;
    const terminal = stdout.isTTY && stderr.isTTY ? { columns: stdout.columns } : undefined;
    const engine = async () => (await server.ssrLoadModule('/src/cli/engine-page.ts')).EngineServer.start();
    code = await main(argv, { stdout, stderr, signal: interrupt.signal, terminal, engine });
  } finally {
    await server.close();
  }
  // Everything written is flushed before the process ends.
  process.stdout.write('', () => process.exit(code));
}

#!/usr/bin/env node
// Runs a command of this package straight from its TypeScript: node src/cli/run.mjs COMMAND [ARGUMENTS]
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const [command = '', ...argv] = process.argv.slice(2);
const commands = ['inspect', 'validate'];
if (!commands.includes(command)) {
  process.stderr.write(`unknown command "${command}"; there are: ${commands.join(', ')}\n`);
  process.exit(2);
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  cacheDir: 'node_modules/.vite-commands',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
let code = 1;
try {
  const { main } = await server.ssrLoadModule(`/src/cli/${command}.ts`);
  code = await main(argv, { stdout: process.stdout, stderr: process.stderr, signal: interrupt.signal });
} catch (error) {
  const typed = error instanceof Error && 'code' in error && error.name !== 'Error';
  process.stderr.write(`${typed || interrupt.signal.aborted ? `${error.name}: ${error.message}` : error.stack}\n`);
} finally {
  await server.close();
}
// Everything written is flushed before the process ends.
process.stdout.write('', () => process.exit(code));

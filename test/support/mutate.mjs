// node test/support/mutate.mjs FORMAT FILES: what becomes of damaged files of a format, as JSON. A process of its own, so
// that every byte that JavaScript asks for is counted.
import { createServer } from 'vite';
import { allocated } from './count-allocations.mjs';

const [format, files] = process.argv.slice(2);
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { mutate } = await server.ssrLoadModule('/test/support/mutations.ts');
  process.stdout.write(JSON.stringify(await mutate(format, Number(files), allocated)));
} finally {
  await server.close();
}

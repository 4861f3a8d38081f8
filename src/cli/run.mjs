#!/usr/bin/env node
// Runs a command of this package straight from its TypeScript: node src/cli/run.mjs COMMAND [ARGUMENTS]
import { runCommand } from './run-command.mjs';

const [command = '', ...argv] = process.argv.slice(2);
const commands = ['inspect', 'validate', 'classify'];
if (!commands.includes(command)) {
  process.stderr.write(`unknown command "${command}"; there are: ${commands.join(', ')}\n`);
  process.exit(2);
}
await runCommand(`/src/cli/${command}.ts`, argv);

#!/usr/bin/env node
// Runs a command of this package straight from its TypeScript: node src/cli/run.mjs COMMAND [ARGUMENTS]

const [command, ...argv] = process.argv.slice(2);
const commands = [
  'inspect',
  'validate',
  'classify',
  'detect',
  'pose',
  'segment',
  'embed',
  'convert',
  'fetch',
  'doctor',
];
const help = `usage: npm run COMMAND -- [ARGUMENTS]; --help after a command says which
commands: ${commands.join(', ')}, bench
`;
if (command === '--help' || command === '-h') {
  process.stdout.write(help);
} else if (!commands.includes(command)) {
  process.stderr.write(command === undefined ? help : `unknown command "${command}"\n${help}`);
  process.exitCode = 2;
} else {
  const { runCommand } = await import('./run-command.mjs');
  await runCommand(`/src/cli/${command}.ts`, argv);
}

#!/usr/bin/env node
// Prints a part of docs/ that is made from the code: node scripts/docs.mjs kernels > docs/kernels.md
import { runCommand } from '../src/cli/run-command.mjs';

await runCommand('/scripts/docs.ts', process.argv.slice(2));

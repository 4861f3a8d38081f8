// Known faults of the packages in the lock file: npm run audit -- [--strict]. A registry that does not answer is told of;
// with --strict that is a failure, too.
import { spawnSync } from 'node:child_process';

const { stdout, error } = spawnSync('npm', ['audit', '--json'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const report = parsed(stdout) ?? { message: error?.message ?? 'npm gave no answer' };
if (!report.auditReportVersion) {
  process.stdout.write(`not audited: ${report.message ?? report.error?.summary ?? 'the registry gave no report'}\n`);
  process.exit(process.argv.includes('--strict') ? 1 : 0);
}
const faults = Object.values(report.vulnerabilities).filter(({ severity }) => !['info', 'low'].includes(severity));
for (const { name, severity, range, via } of faults) {
  const why = via.map((one) => (typeof one === 'string' ? `by ${one}` : `${one.title} (${one.url})`)).join('; ');
  process.stdout.write(`${name} ${range}: ${severity}: ${why}\n`);
}
process.stdout.write(`audited ${report.metadata.dependencies.total} packages: ${faults.length} with known faults\n`);
process.exit(faults.length > 0 ? 1 : 0);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

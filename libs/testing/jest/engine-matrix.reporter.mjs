// Prints, after the run, what was proved where: suites (and strategies) × engines, passed or failed, and which engines
// were not covered and why. Reads the titles that `eachEngine` ("on sqlite") and `eachStrategy` ("with the row strategy") give.
import { relative } from 'node:path';

const ENGINE = /^on (\w+)/;
const STRATEGY = /^with the (\S+) strategy$/;

export default class EngineMatrixReporter {
  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    this.rows = new Map();
  }

  onTestResult(test, result) {
    for (const { ancestorTitles, status } of result.testResults) {
      const engine = ancestorTitles.map((title) => ENGINE.exec(title)?.[1]).find(Boolean);
      if (!engine || !['passed', 'failed'].includes(status)) continue;
      const strategy = ancestorTitles.map((title) => STRATEGY.exec(title)?.[1]).find(Boolean);
      const suite = relative(this.rootDir, test.path).replace(/(\.e2e-spec|\.spec)\.ts$/, '');
      const name = strategy ? `${suite} · ${strategy}` : suite;
      const row = this.rows.get(name) ?? {};
      row[engine] ??= { passed: 0, failed: 0 };
      row[engine][status]++;
      this.rows.set(name, row);
    }
  }

  onRunComplete() {
    const { engines } = JSON.parse(process.env.ROWHOUSE_TEST_RUN ?? '{"engines":{}}');
    if (this.rows.size > 0) process.stderr.write(`\n${this.table(Object.keys(engines))}\n`);
    for (const [name, { label, reason }] of Object.entries(engines)) {
      process.stderr.write(label ? `  ${name}: ${label}\n` : `  ${name}: NOT COVERED (${reason})\n`);
    }
  }

  table(engines) {
    const cell = (counts) => {
      if (!counts) return '-';
      return counts.failed > 0 ? `${counts.passed} ok, ${counts.failed} FAILED` : `${counts.passed} ok`;
    };
    const lines = [['suite', ...engines]];
    for (const [name, row] of [...this.rows].sort(([a], [b]) => a.localeCompare(b)))
      lines.push([name, ...engines.map((engine) => cell(row[engine]))]);
    const total = (engine) => {
      const counts = [...this.rows.values()].map((row) => row[engine] ?? { passed: 0, failed: 0 });
      return counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }));
    };
    lines.push(['all', ...engines.map((engine) => cell(total(engine)))]);
    const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
    return lines.map((line) => line.map((text, column) => text.padEnd(widths[column])).join('  ')).join('\n');
  }
}

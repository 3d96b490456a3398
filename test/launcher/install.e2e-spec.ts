import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ScratchProject } from './scratch-project.js';

// npm itself takes seconds on a busy machine.
jest.setTimeout(60_000);

/** Answers at once with "connection refused": the discard port of this machine, where nothing listens. */
const UNREACHABLE = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };

describe('install on demand', () => {
  let project: ScratchProject;

  /** Makes `left` the project's only package; `npm start` tells which version of it is installed. */
  const dependOnLeft = (version: string, resolved: string, field = 'dependencies') => {
    const dependency = { [field]: { left: resolved.startsWith('file:') ? resolved : version } };
    project.editPackage((manifest) => {
      const scripts = {
        ...(manifest.scripts as object),
        start: `node -p "'left ' + require('left/package.json').version"`,
      };
      Object.assign(manifest, { dependencies: {}, devDependencies: {}, overrides: {}, scripts }, dependency);
    });
    const left = { version, resolved, dev: field === 'devDependencies' };
    const packages = { '': { name: 'rowhouse', version: '0.1.0', ...dependency }, 'node_modules/left': left };
    project.write('package-lock.json', JSON.stringify({ name: 'rowhouse', lockfileVersion: 3, packages }));
  };

  /** A package of the test's own, packed, so that npm installs it for real without any registry. */
  const packLeft = async (version: string) => {
    // Asks for a Node that does not exist: on an old host, npm warns like this about most packages.
    project.write('left/package.json', JSON.stringify({ name: 'left', version, engines: { node: '>=999' } }));
    const { code } = await project.run('npm', ['pack', './left', '--pack-destination', '.']);
    expect(code).toBe(0);
    return `file:left-${version}.tgz`;
  };

  beforeEach(() => {
    project = new ScratchProject();
  });

  afterEach(() => project.remove());

  it('installs what is missing or changed before the command, and nothing the second time', async () => {
    dependOnLeft('1.0.0', await packLeft('1.0.0'));
    const first = await project.run('npm', ['start'], UNREACHABLE);
    expect(first.stderr).toMatch(/Installing packages .*: done after/);
    expect(first.stderr).not.toContain('EBADENGINE');
    expect(first.stdout).toContain('left 1.0.0');
    expect(first.code).toBe(0);

    expect((await project.run('npm', ['start'], UNREACHABLE)).stderr).not.toContain('Installing');

    dependOnLeft('2.0.0', await packLeft('2.0.0'));
    const changed = await project.run('npm', ['start'], UNREACHABLE);
    expect(changed.stderr).toContain('Installing');
    expect(changed.stdout).toContain('left 2.0.0');
  });

  it('installs development packages under NODE_ENV=production too: they build the application', async () => {
    dependOnLeft('1.0.0', await packLeft('1.0.0'), 'devDependencies');
    const { stdout } = await project.run('npm', ['start'], { ...UNREACHABLE, NODE_ENV: 'production' });
    expect(stdout).toContain('left 1.0.0');
  });

  it('ends with one clear line, after the words of npm, when the registry cannot be reached', async () => {
    dependOnLeft('1.0.0', 'http://127.0.0.1:9/left-1.0.0.tgz');
    const { code, stderr } = await project.run('npm', ['start'], UNREACHABLE);
    expect(code).not.toBe(0);
    expect(stderr).toContain('npm error code ECONNREFUSED');
    expect(stderr).toMatch(/^The package registry cannot be reached \(ECONNREFUSED\)\. .+$/m);
  });

  it('does not blame the network for a package that is not what the lock file says', async () => {
    dependOnLeft('1.0.0', await packLeft('1.0.0'));
    const lock = JSON.parse(project.read('package-lock.json'));
    lock.packages['node_modules/left'].integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
    project.write('package-lock.json', JSON.stringify(lock));
    const { code, stderr } = await project.run('npm', ['start'], UNREACHABLE);
    expect(code).not.toBe(0);
    expect(stderr).toContain('npm error code EINTEGRITY');
    expect(stderr).toMatch(/^The packages could not be installed: .+$/m);
  });

  it.each([
    ['install.mjs', '18.20.8', /^Rowhouse needs Node 20 or newer .+ this is Node 18\.20\.8\. .+\n$/],
    ['start.mjs', '20.20.2', /^Rowhouse runs on Node 24, and this is Node 20\.20\.2\. .+\n$/],
  ])('%s refuses Node %s in one line', async (file, version, line) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    const { code, stderr } = await project.run('node', [
      '--import',
      `data:text/javascript,${encodeURIComponent(pretend)}`,
      `apps/cli/launcher/${file}`,
    ]);
    expect(stderr).toMatch(line);
    expect(code).toBe(1);
  });

  it('hands the arguments of npm test on to jest', async () => {
    const path = 'apps/cli/launcher/installed-packages.spec.ts';
    for (const file of ['jest.config.js', 'libs/testing/jest']) project.copy(file);
    project.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: {} }));
    symlinkSync(join(process.cwd(), 'node_modules'), join(project.root, 'node_modules'));
    const { stdout, code } = await project.run('npm', ['test', '--', '--listTests', 'no-such-spec']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('spec.ts');
    expect((await project.run('npm', ['test', '--', '--listTests', path])).stdout).toContain(path);
  });
});

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './access.decorators.js';
import { problemCatalogue } from './problem-catalogue.js';

/** One row per code that clients can meet. Codes and titles are ours: nothing of a request gets into this page. */
function renderPage(): string {
  const kinds = new Map(Object.entries(problemCatalogue).map(([code, kind]) => [kind.code ?? code, kind]));
  const rows = [...kinds]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(
      ([code, { status, title }]) =>
        `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
    );
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    '<title>Problems</title><style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:44rem;padding:0 1rem}',
    'td,th{padding:.3rem 1rem .3rem 0;text-align:left}tr:target{background:#fff3c4}</style>',
    '<h1>Problems</h1><p>Every failure is answered as <code>application/problem+json</code> (RFC 9457). Programs read ',
    '<code>code</code>, which is stable; <code>detail</code> tells people what happened and what to do; ',
    '<code>errors</code> points at wrong input.</p>',
    `<table><tr><th>code</th><th>status</th><th>title</th></tr>${rows.join('')}</table></html>`,
  ].join('');
}

/** The page that the `type` of each problem leads to. */
@ApiExcludeController()
@Controller('docs/problems')
export class ProblemsController {
  readonly #page = renderPage();

  @Public()
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.#page;
  }
}

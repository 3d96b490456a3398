import { describe, expect, it } from '@jest/globals';
import type { MetadataStorage } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { findUnbound, type Slot } from './analysis.js';
import { Catalogue } from './catalogue.js';
import { AllowedFunctions } from './functions.js';
import { analyse } from './reader.js';

const OWN = 'own';
const FOREIGN = 'foreign';

/** A catalogue of `tag`, `product`, `product_tag` (owned) and `currency` (shared). */
function aCatalogue(engine: EngineName): Catalogue {
  const catalogue = new Catalogue(engine, { getAll: () => new Map() } as unknown as MetadataStorage);
  const tables = ['tag', 'product', 'product_tag'].map((name) => ({ name, tenantColumn: 'tenant_id' }));
  const all = [...tables, { name: 'currency', tenantColumn: undefined }];
  catalogue.find = (name) => all.find((it) => it.name === name);
  catalogue.hasSchema = (name) => name === 'public';
  return catalogue;
}

/** What the guard would do: `ok`, or why not. */
function verdict(engine: EngineName, sql: string, parameters: readonly unknown[] = []): string {
  const analysis = analyse(sql, {
    engine,
    catalogue: aCatalogue(engine),
    functions: new AllowedFunctions(['my_function']),
  });
  if (!analysis) return 'unreadable';
  if (analysis.refusal) return analysis.refusal;
  const holds = (slot: Slot) => {
    if ('literal' in slot) return slot.literal === OWN;
    const value = parameters['parameter' in slot ? slot.parameter : slot.elementsOf];
    return 'parameter' in slot ? value === OWN : Array.isArray(value) && value.every((it) => it === OWN);
  };
  if (analysis.schemas.size > 0) return 'names a schema';
  if (!analysis.required.every(holds)) return 'writes a foreign tenant';
  return analysis.blocks.some((block) => findUnbound(block, holds).length > 0) ? 'asks for a foreign tenant' : 'ok';
}

const ENGINES: readonly EngineName[] = ['sqlite', 'postgresql', 'mariadb', 'mysql'];
const MYSQL: readonly EngineName[] = ['mariadb', 'mysql'];

describe.each(ENGINES)('statements on %s', (engine) => {
  describe('accepted', () => {
    it.each([
      ['a plain select', "select * from tag where tenant_id = 'own' and name = 'x'"],
      ['the value on the left', "select * from tag t where 'own' = t.tenant_id"],
      ['brackets around conjuncts', "select * from tag t where ((t.name = 'x') and ((t.tenant_id = 'own')))"],
      ['an alternative beside it', "select * from tag t where t.tenant_id = 'own' and (t.name = 'a' or t.name = 'b')"],
      [
        'alternatives that all bind',
        "select * from tag t where (t.tenant_id = 'own' and t.id = 1) or (t.id = 2 and t.tenant_id = 'own')",
      ],
      ['a row', "select * from tag t where (t.tenant_id, t.id) = ('own', '1')"],
      ['rows', "select * from tag t where (t.tenant_id, t.id) in (('own', '1'), ('own', '2'))"],
      [
        'joins by equality',
        "select * from product p join product_tag l on l.tenant_id = p.tenant_id and l.product_id = p.id inner join tag t on (t.tenant_id, t.id) = (l.tenant_id, l.tag_id) where p.tenant_id = 'own'",
      ],
      [
        'a left join',
        "select * from product p left join tag t on t.tenant_id = p.tenant_id where p.tenant_id = 'own' and t.id is null",
      ],
      [
        'a left join of joins',
        "select * from product p left join (product_tag l inner join tag t on t.tenant_id = l.tenant_id) on l.tenant_id = p.tenant_id where p.tenant_id = 'own'",
      ],
      [
        'the tables separated by commas',
        "select * from tag t, product p where t.tenant_id = p.tenant_id and p.tenant_id = 'own'",
      ],
      [
        'a sub-query in the list',
        "select (select count(*) from tag t where t.tenant_id = p.tenant_id) n from product p where p.tenant_id = 'own'",
      ],
      [
        'exists',
        "select * from product p where p.tenant_id = 'own' and exists (select 1 from tag t where t.tenant_id = p.tenant_id)",
      ],
      [
        'in, by values of a bound query',
        "select * from tag where (tenant_id, id) in (select l.tenant_id, l.tag_id from product_tag l where l.tenant_id = 'own')",
      ],
      [
        'in, bound from outside',
        "select * from product p where p.tenant_id = 'own' and (p.tenant_id, p.id) in (select p.tenant_id, p.id from product p inner join tag t on t.tenant_id = p.tenant_id where t.name = 'x')",
      ],
      [
        'not in, bound from outside',
        "select * from product p where p.tenant_id = 'own' and (p.tenant_id, p.id) not in (select l.tenant_id, l.product_id from product_tag l)",
      ],
      ['a derived table', "select x.n from (select count(*) as n from tag where tenant_id = 'own') as x"],
      [
        'a join with all of a derived table',
        "select * from (select * from (select t.* from tag t where t.tenant_id = 'own') y) x join product p on p.tenant_id = x.tenant_id",
      ],
      [
        'a join with all of joined tables',
        "select x.id from (select * from tag t, product o where t.tenant_id = 'own' and o.tenant_id = 'own') x join product p on p.tenant_id = x.tenant_id",
      ],
      [
        'a join with a derived table',
        "select * from (select t.tenant_id, t.id from tag t where t.tenant_id = 'own') x join product p on p.tenant_id = x.tenant_id",
      ],
      [
        'a common table expression',
        "with x as (select tenant_id, id from tag where tenant_id = 'own') select * from product p join x on x.tenant_id = p.tenant_id",
      ],
      [
        'a recursive one',
        'with recursive n as (select 1 as i union all select i + 1 from n where i < 9) select i from n',
      ],
      [
        'a union',
        "select id from tag where tenant_id = 'own' union all select id from product where tenant_id = 'own' order by 1 limit 3",
      ],
      ['a shared table', 'select * from currency'],
      ['no table', 'select 1'],
      [
        'case, between and functions',
        "select case when 1 = 1 then coalesce(lower(name), 'x') end from tag where tenant_id = 'own' and n between 1 and 3 and my_function(n) = 1",
      ],
      [
        'a group',
        "select count(*), max(name) from tag where tenant_id = 'own' group by kind having count(*) > 1 order by 2 desc limit 10 offset 5",
      ],
      ['an update', "update tag set name = 'x' where tenant_id = 'own' and id = '1'"],
      ['an update that keeps the tenant', "update tag set tenant_id = 'own', name = 'x' where tenant_id = 'own'"],
      [
        'a batch update',
        "update tag set name = case when (tenant_id = 'own' and id = 1) then 'a' when (tenant_id = 'own' and id = 2) then 'b' else name end where (tenant_id, id) in (('own', 1), ('own', 2))",
      ],
      ['a delete', "delete from tag where (tenant_id, id) in (('own', 1))"],
      ['an insert', "insert into tag (id, tenant_id, name) values (1, 'own', 'x'), (2, 'own', 'y')"],
      [
        'an insert from a query',
        "insert into tag (tenant_id, id) select t.tenant_id, t.id from tag t where t.tenant_id = 'own'",
      ],
      ['an insert of a literal from a query', "insert into tag (id, tenant_id) select c.id, 'own' from currency c"],
      ['comments', "/* who */ select * from tag -- what\nwhere tenant_id = 'own' /* why */"],
      ['a semicolon at the end', "select * from tag where tenant_id = 'own';"],
      ['text with everything in it', "select * from tag where name = 'it''s -- /* ; $$' and tenant_id = 'own'"],
      ['begin', 'begin'],
      ['a savepoint', 'savepoint trx1'],
      ['the isolation level', 'start transaction isolation level serializable'],
      ['several modes', 'start transaction isolation level repeatable read read only'],
      ['several modes with commas', 'start transaction isolation level serializable, read only'],
    ])('%s', (_, sql) => {
      expect(verdict(engine, sql)).toBe('ok');
    });

    it('values in parameters', () => {
      const sql =
        engine === 'postgresql'
          ? 'select * from tag where tenant_id = $2 and name = $1'
          : 'select * from tag where name = ? and tenant_id = ?';
      expect(verdict(engine, sql, ['x', OWN])).toBe('ok');
      expect(verdict(engine, sql, ['x', FOREIGN])).toBe('asks for a foreign tenant');
      expect(verdict(engine, sql, ['x'])).toBe('asks for a foreign tenant');
      expect(verdict(engine, sql, [OWN, [OWN]])).toBe('asks for a foreign tenant');
    });

    it('two tenants at once, which finds nothing', () => {
      expect(verdict(engine, "select * from tag where tenant_id = 'own' and (tenant_id = 'foreign' and id = 1)")).toBe(
        'ok',
      );
    });
  });

  describe('refused', () => {
    it.each([
      ['nothing', 'select * from tag'],
      ['another condition', "select * from tag where name = 'own'"],
      ['another tenant', "select * from tag where tenant_id = 'foreign'"],
      ['one alternative only', "select * from tag where tenant_id = 'own' or 1 = 1"],
      ['an alternative in brackets', "select * from tag where (tenant_id = 'own' or name = 'x') and 1 = 1"],
      ['a foreign alternative', "select * from tag where tenant_id = 'own' or tenant_id = 'foreign'"],
      ['a negation', "select * from tag where not (tenant_id = 'own')"],
      ['a negated comparison', "select * from tag where not tenant_id = 'own'"],
      ['inequality', "select * from tag where tenant_id <> 'own'"],
      ['a comparison of a comparison', "select * from tag where tenant_id = 'own' = 0"],
      ['is not true', "select * from tag where tenant_id = 'own' is not true"],
      [
        'a comparison inside case',
        "select * from tag where case when 1=0 and tenant_id = 'own' and 1=1 then 0 else 1 end = 1",
      ],
      ['a comparison inside between', "select * from tag where 1 between 0 and tenant_id = 'own'"],
      ['xor', "select * from tag where tenant_id = 'own' xor 1 = 1"],
      ['like', "select * from tag where tenant_id like 'own'"],
      ['a foreign one in the list', "select * from tag where tenant_id in ('own', 'foreign')"],
      ['a column of the same name elsewhere', "select * from tag t join currency c on c.tenant_id = 'own'"],
      ['itself', 'select * from tag t where t.tenant_id = t.tenant_id'],
      ['each other', 'select * from tag t join product p on t.tenant_id = p.tenant_id'],
      ['one table of two', "select * from tag t join product p on p.id = t.id where t.tenant_id = 'own'"],
      [
        'the left side in a left join',
        "select * from product p left join tag t on p.tenant_id = 'own' and t.tenant_id = 'own'",
      ],
      [
        'a right join',
        "select * from tag t right join product p on p.tenant_id = t.tenant_id where t.tenant_id = 'own'",
      ],
      ['a full join', "select * from tag t full join product p on p.tenant_id = t.tenant_id where t.tenant_id = 'own'"],
      ['a natural join', "select * from tag t natural join product p where t.tenant_id = 'own'"],
      ['a sub-query in the list', "select (select max(name) from tag) from product p where p.tenant_id = 'own'"],
      [
        'a sub-query in order by',
        "select * from product p where p.tenant_id = 'own' order by (select count(*) from tag)",
      ],
      [
        'a sub-query in a join',
        "select * from product p join tag t on t.tenant_id = p.tenant_id and t.id = (select max(id) from tag) where p.tenant_id = 'own'",
      ],
      [
        'exists',
        "select * from product p where p.tenant_id = 'own' and exists (select 1 from tag t where t.id = p.id)",
      ],
      [
        'a query that proves what proves it',
        'select * from tag o where o.tenant_id in (select x.tenant_id from tag x where x.tenant_id = o.tenant_id)',
      ],
      [
        'a lateral query that does',
        'select * from tag o, lateral (select x.tenant_id from tag x where x.tenant_id = o.tenant_id) y where o.tenant_id = y.tenant_id',
      ],
      [
        'a member of a limited query',
        "select * from product p where p.tenant_id = 'own' and p.tenant_id in (select t.tenant_id from tag t order by t.name limit 1)",
      ],
      [
        'a member of an aggregate',
        "select * from product p where p.tenant_id = 'own' and p.tenant_id in (select max(t.tenant_id) from tag t)",
      ],
      [
        'a member of what a left join gives',
        "select * from product p where p.tenant_id = 'own' and p.tenant_id not in (select t.tenant_id from currency c left join tag t on t.id = c.id)",
      ],
      [
        'a member of what a left join may leave empty',
        "select * from product p where p.tenant_id = 'own' and p.tenant_id not in (select t.tenant_id from product_tag l left join tag t on t.tenant_id = l.tenant_id)",
      ],
      [
        'a member of another column',
        "select * from product p where p.tenant_id = 'own' and p.id in (select t.tenant_id from tag t)",
      ],
      ...[
        't.name as tenant_id, t.tenant_id',
        "t.name as 'tenant_id', t.tenant_id",
        'x.*, t.tenant_id',
        '*, t.tenant_id',
      ].map((list): [string, string] => [
        `the second of two columns of one name: ${list}`,
        `select p.id from (select ${list} from (select name as tenant_id from tag where tenant_id = 'own') x, tag t where t.tenant_id = 'own') d join product p on p.tenant_id = d.tenant_id`,
      ]),
      ['other names for columns', "select * from tag as t (a, tenant_id) where t.tenant_id = 'own'"],
      [
        'what only half of a union proves',
        "select * from product p where p.tenant_id in (select t.tenant_id from tag t where t.tenant_id = 'own' union select name from tag where tenant_id = 'own')",
      ],
      [
        'a column that takes the name of the tenant',
        "select * from (select t.tenant_id, t.name as tenant_id from tag t where t.tenant_id = 'own') x join product p on p.tenant_id = x.tenant_id",
      ],
      ['a derived table', 'select * from (select * from tag) x where x.tenant_id = 1'],
      ['a derived tenant', "select * from (select 'own' as tenant_id, name from tag) x where x.tenant_id = 'own'"],
      ['a union with more', "select id from tag where tenant_id = 'own' union select id from tag"],
      ['a common table expression', 'with x as (select * from tag) select 1'],
      ['a table shorthand', 'select 1 union table tag'],
      ['an unknown table', 'select * from mikro_orm_migrations'],
      ['an unknown schema', "select * from other.tag where tenant_id = 'own'"],
      ['an unknown function', "select pg_read_file('x')"],
      ['a function in a schema', "select pg_catalog.lower('x')"],
      [
        'a quoted function',
        engine === 'postgresql' ? 'select "query_to_xml"(\'select * from tag\')' : 'select `load_file`(1)',
      ],
      ['a function as a table', "select * from dblink('select 1') as t(a int)"],
      ['select into', "select * into copy from tag where tenant_id = 'own'"],
      ['two statements', "select * from tag where tenant_id = 'own'; select * from tag"],
      ['an update', "update tag set name = 'x' where id = 1"],
      ['an update without condition', "update tag set name = 'x'"],
      ['an update of a foreign one', "update tag set name = 'x' where tenant_id = 'foreign'"],
      ['an update that gives rows away', "update tag set tenant_id = 'foreign' where tenant_id = 'own'"],
      ['an update that gives rows away by a column', "update tag set tenant_id = name where tenant_id = 'own'"],
      [
        'an update with a foreign value',
        "update tag set name = (select name from product where id = 1) where tenant_id = 'own'",
      ],
      ['an update of a shared table', "update currency set name = 'x'"],
      ['a delete', 'delete from tag where id = 1'],
      ['a delete of a shared table', 'delete from currency'],
      ['an insert without columns', "insert into tag values ('own', 1)"],
      ['an insert without tenant', 'insert into tag (id) values (1)'],
      ['an insert of a foreign row', "insert into tag (tenant_id, id) values ('own', 1), ('foreign', 2)"],
      ['an insert with the tenant twice', "insert into tag (tenant_id, tenant_id) values ('own', 'foreign')"],
      ['an insert with uneven rows', "insert into tag (id, tenant_id) values (1, 2, 'own')"],
      ['an insert of a computed tenant', "insert into tag (tenant_id, id) values (concat('fore', 'ign'), 1)"],
      ['an insert from a foreign query', "insert into tag (tenant_id, id) select 'own', id from tag"],
      [
        'an insert from a query with a foreign tenant',
        "insert into tag (tenant_id, id) select name, id from tag where tenant_id = 'own'",
      ],
      ['an insert into a shared table', 'insert into currency (id) values (1)'],
      ['set', 'set search_path = other'],
      ['use', 'use other'],
      ['pragma', 'pragma table_info(tag)'],
      ['attach', "attach database 'x' as y"],
      ['ddl', 'drop table tag'],
      ['truncate', 'truncate tag'],
      ['explain', "explain select * from tag where tenant_id = 'own'"],
      ['call', 'call p()'],
      ['do', 'do $$ begin end $$'],
      ['dollar quotes', "select * from tag where name = $x$ and tenant_id = 'own' and $x$ = name"],
      ['an executed comment', "select * from tag where tenant_id = 'own' /*! or 1 = 1 */"],
      ['another executed comment', "select * from tag where tenant_id = 'own' /*M! or 1 = 1 */"],
      [
        'a hint that sets something',
        "select /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ * from tag where tenant_id = 'own'",
      ],
      ['a nested comment', "select * from tag where /* /* */ tenant_id = 'own' -- */\n"],
      ['an open comment', "select * from tag where tenant_id = 'own' /* "],
      ['an open text', "select * from tag where tenant_id = 'own' and name = 'x"],
      ['open brackets', "select * from tag where (tenant_id = 'own'"],
      ['a look-alike letter', "select * from tag where tenant_id = 'own' and 1 li\u212Ae 1 or 1 = 1"],
      ['a condition that is cut', "select * from tag where tenant_id = 'own' and not window or 1 = 1"],
      ['a limit that goes on', "select * from tag where tenant_id = 'own' and x div offset or 1 = 1"],
      ['a variable', 'select * from tag where tenant_id = @t'],
      ['transaction control with more', 'commit and chain; select 1'],
      ['a lock of a table', 'lock tables tag write'],
    ])('%s', (_, sql) => {
      expect(verdict(engine, sql)).not.toBe('ok');
    });
  });
});

describe('what products write differently', () => {
  const accepted: [string, readonly EngineName[], string, unknown[]?][] = [
    [
      'upsert',
      ['sqlite', 'postgresql'],
      "insert into tag (tenant_id, id, name) values ('own', 1, 'x') on conflict (tenant_id, id) do update set name = excluded.name, tenant_id = excluded.tenant_id where tag.name <> 'y' returning id",
    ],
    [
      'upsert that ignores',
      ['sqlite', 'postgresql'],
      "insert into tag (tenant_id, id) values ('own', 1) on conflict do nothing",
    ],
    [
      'upsert',
      MYSQL,
      "insert into `tag` (`tenant_id`, `id`) values ('own', 1) on duplicate key update `id` = values(`id`), tenant_id = values(tenant_id)",
    ],
    ['a prefix', MYSQL, "select sql_no_cache straight_join name from tag where tenant_id = 'own'"],
    ['an index hint', MYSQL, "select * from tag t force index (`PRIMARY`) where t.tenant_id = 'own'"],
    ['insert or ignore', ['sqlite'], "insert or ignore into tag (tenant_id, id) values ('own', 1)"],
    ['insert ignore', MYSQL, "insert ignore into `tag` (`tenant_id`) values ('own')"],
    ['insert or replace', ['sqlite'], "insert or replace into tag (tenant_id, id) values ('own', 1)"],
    ['rows by values', ['sqlite'], "select * from tag where (tenant_id, id) in (values ('own', 1), ('own', 2))"],
    [
      'update from values',
      ['sqlite'],
      'update `tag` as t set `name` = v.column3 from (values (?, ?, ?), (?, ?, ?)) as v where t.`tenant_id` = v.column1 and t.`id` = v.column2',
      [OWN, 1, 'a', OWN, 2, 'b'],
    ],
    [
      'insert from arrays',
      ['postgresql'],
      'insert into "tag" ("tenant_id", "id") select v.c0, v.c1::text from unnest($1::uuid[], $2::text[]) as v(c0, c1)',
      [
        [OWN, OWN],
        ['1', '2'],
      ],
    ],
    [
      'update from arrays',
      ['postgresql'],
      'update "tag" as t set name = v.c1 from unnest($1::uuid[], $2::text[]) as v(c0, c1) where t."tenant_id" = v.c0',
      [[OWN], ['x']],
    ],
    ['any of an array', ['postgresql'], 'select * from tag t where t.tenant_id = any($1::uuid[])', [[OWN]]],
    [
      'casts',
      ['postgresql'],
      "select * from tag t where t.tenant_id = 'own'::uuid and t.labels ? 'x' and t.data @> '{}'::jsonb",
    ],
    ['escaped text', ['postgresql'], "select * from tag where name = E'it\\'s' and tenant_id = 'own'"],
    ['locks', ['postgresql', ...MYSQL], "select * from tag t where t.tenant_id = 'own' for update skip locked"],
    ['shared locks', MYSQL, "select * from tag t where t.tenant_id = 'own' lock in share mode"],
    [
      'locks of one table',
      ['postgresql'],
      'select * from tag as "t" where "t"."tenant_id" = \'own\' limit 1 for no key update of "t" nowait',
    ],
    [
      'writing in a common table expression',
      ['postgresql'],
      "with x as (delete from tag where tenant_id = 'own' returning *) select * from x",
    ],
    ['distinct from', ['postgresql'], "select * from tag t where t.tenant_id = 'own' and t.a is distinct from t.b"],
    [
      'delete from joined tables',
      MYSQL,
      "delete t from tag t join product p on p.tenant_id = t.tenant_id where t.tenant_id = 'own'",
    ],
    [
      'update of joined tables',
      MYSQL,
      "update tag t join product p on p.tenant_id = t.tenant_id set t.name = p.name where t.tenant_id = 'own'",
    ],
    ['index hints', MYSQL, "select * from tag force index (primary) where tenant_id = 'own'"],
    ['escaped text', MYSQL, "select * from tag where name = 'it\\'s' and tenant_id = 'own'"],
    ['the distance of keys', MYSQL, "show variables like 'auto_increment_increment'"],
    ['a schema that is known', ['postgresql'], "select * from public.tag where tag.tenant_id = 'own'"],
    [
      'concatenation',
      ['sqlite', 'postgresql'],
      "select name || 'x' from tag where tenant_id = 'own' and name = 'a' || 'b'",
    ],
    ['the mode of a transaction', MYSQL, 'set transaction isolation level read committed'],
  ];
  it.each(
    accepted.flatMap(([name, engines, ...rest]) =>
      engines.map((engine) => [name, engine, rest[0], rest[1] ?? []] as const),
    ),
  )('accepts %s on %s', (_, engine, sql, parameters) => {
    expect(verdict(engine, sql, parameters)).toBe('ok');
  });

  const refused: [string, readonly EngineName[], string, unknown[]?][] = [
    ['a logical or in disguise', MYSQL, "select * from tag where tenant_id = 'own' and 1 = 1 || 1 = 1"],
    ['a comment that is arithmetic', MYSQL, "select * from tag where tenant_id = 'own'--1 or 1 = 1"],
    [
      'a quote that is escaped',
      MYSQL,
      "select * from tag where name = '\\' and tenant_id = 'own' and name <> ' or 1 = 1",
    ],
    [
      'a quote that is not escaped',
      ['sqlite', 'postgresql'],
      "select * from tag where name = '\\' or 1 = 1 -- ' and tenant_id = 'own'",
    ],
    ['ilike where there is none', ['sqlite', ...MYSQL], "select * from tag where tenant_id = 'own' and name ilike 'x'"],
    [
      'a prefix that the product has not',
      ['sqlite', 'postgresql'],
      "select sql_no_cache name from tag where tenant_id = 'own'",
    ],
    [
      'an index hint that the product has not',
      ['sqlite', 'postgresql'],
      "select * from tag use index (x) where tenant_id = 'own'",
    ],
    ['replace where there is none', ['postgresql'], "replace into tag (tenant_id, id) values ('own', 1)"],
    [
      'insert ignore where there is none',
      ['postgresql', 'sqlite'],
      "insert ignore into tag (tenant_id) values ('own')",
    ],
    [
      'insert or ignore where there is none',
      ['postgresql', ...MYSQL],
      "insert or ignore into tag (tenant_id) values ('own')",
    ],
    ['text in double quotes', MYSQL, 'select * from tag where name = " and tenant_id = \'own\' and " = name'],
    ['a table of another database', MYSQL, 'select * from mysql.user'],
    ['a file', MYSQL, "select * from tag where tenant_id = 'own' into outfile '/tmp/x'"],
    ['a text reader', MYSQL, "select load_file('/etc/passwd')"],
    ['replace from nowhere', MYSQL, 'replace into tag set tenant_id = 1'],
    ['a cast that cuts', ['postgresql'], "select * from tag where tenant_id::char = 'own'::char"],
    ['a whole table behind in', ['sqlite'], "select 1 from tag where tenant_id = 'own' and name in product"],
    ['a whole table behind in, in a list', ['sqlite'], "select ('x', 'y') in tag"],
    ['double quotes', MYSQL, 'select * from tag where tenant_id = \'own\' and "a\\" = "" or 1 = 1 -- "'],
    ['a cast that counts', ['sqlite'], "select * from tag where cast(tenant_id as uuid) = cast('own' as uuid)"],
    ['a row by its number', ['sqlite'], "insert or replace into tag (rowid, tenant_id, id) values (1, 'own', 1)"],
    ['the number of a row', ['sqlite'], "update or replace tag set rowid = 1 where tenant_id = 'own'"],
    ['the schema', ['sqlite'], 'select * from sqlite_master'],
    ['a table function', ['sqlite'], "select * from pragma_table_info('tag')"],
    [
      'the setting of row-level security',
      ['postgresql'],
      "select set_config('mikro.tenant.tenantId', 'foreign', true)",
    ],
    ['sql in a function', ['postgresql'], "select query_to_xml('select * from tag', true, true, '')"],
    ['an operator by its name', ['postgresql'], "select * from tag where tenant_id operator(pg_catalog.=) 'own'"],
    ['a name in other letters', ['postgresql'], 'select * from tag where "TENANT_ID" = \'own\''],
    [
      'a derived name in other letters',
      ['postgresql'],
      `insert into tag (tenant_id, id) select x."TENANT_ID", 1 from (select t.name as "TENANT_ID", t.tenant_id from tag t where t.tenant_id = 'own') x`,
    ],
    [
      'a foreign element',
      ['postgresql'],
      'insert into tag (tenant_id, id) select v.c0, v.c1 from unnest($1::uuid[], $2::text[]) as v(c0, c1)',
      [
        [OWN, FOREIGN],
        ['1', '2'],
      ],
    ],
    ['any of several', ['postgresql'], 'select * from tag t where t.tenant_id = any($1::uuid[])', [[OWN, FOREIGN]]],
    [
      'a foreign row of values',
      ['sqlite'],
      'update tag as t set name = 1 from (values (?, ?), (?, ?)) as v where t.tenant_id = v.column1',
      [OWN, 1, FOREIGN, 2],
    ],
    ['copy', ['postgresql'], 'copy tag to stdout'],
    ['a prepared transaction', ['postgresql'], "prepare transaction 'x'"],
    ['a role', ['postgresql'], 'set local role admin'],
    ['unicode escapes', ['postgresql'], 'select * from U&"t\\0061g"'],
  ];
  it.each(
    refused.flatMap(([name, engines, ...rest]) =>
      engines.map((engine) => [name, engine, rest[0], rest[1] ?? []] as const),
    ),
  )('refuses %s on %s', (_, engine, sql, parameters) => {
    expect(verdict(engine, sql, parameters)).not.toBe('ok');
  });
});

describe('statements with question marks for values that are not written yet', () => {
  const read = (sql: string) =>
    analyse(
      sql,
      { engine: 'postgresql', catalogue: aCatalogue('postgresql'), functions: new AllowedFunctions() },
      'question-marks',
    );

  it('are read with the same result on every engine', () => {
    expect(read('select * from "tag" where "name" = ? and "tenant_id" = ?')).toMatchObject({
      everySlot: [{ parameter: 1 }],
    });
  });

  it.each([
    ['in text', "select '?' from tag where tenant_id = ?"],
    ['in a comment', '/* ? */ select * from tag where tenant_id = ?'],
    ['in a name', 'select "?" from tag where tenant_id = ?'],
    ['for a name', 'select ?? from tag where tenant_id = ?'],
    ['escaped', "select * from tag where data \\? 'x' and tenant_id = ?"],
  ])('are left until then when one stands %s', (_, sql) => {
    expect(read(sql)).toBeUndefined();
  });
});

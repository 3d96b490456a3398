/** The two tenants, as SQL writes them. Rows of the other one are called like this one, and the other way round. */
export const OWN = `'own'`;
export const FOREIGN = `'foreign'`;

/** Numbers from 0 up to 1. */
export type Random = () => number;

/** Mulberry32: small, and the same numbers everywhere. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tables of the statements, each with the columns tenant_id, id, name and n. */
export const TABLES = ['tag', 'product', 'link'];

/**
 * Makes statements that look for trouble: every way to combine conditions, joins and sub-queries, with what binds a table
 * to the tenant `OWN` sometimes there, sometimes in the wrong place, sometimes missing.
 */
export class StatementMaker {
  #aliases = 0;

  constructor(private readonly random: Random) {}

  #pick<T>(...options: readonly T[]): T {
    return options[Math.floor(this.random() * options.length)] as T;
  }

  #chance(probability: number): boolean {
    return this.random() < probability;
  }

  #alias(): string {
    return `t${this.#aliases++}`;
  }

  statement(): string {
    this.#aliases = 0;
    if (this.#chance(0.75)) return this.#select([], 2, this.#pick(1, 2, 3));
    const target = this.#pick(...TABLES);
    const where = this.#condition([target], [], 2);
    if (this.#chance(0.3)) return `delete from ${target} where ${where}`;
    const set = this.#pick(
      'n = n + 1',
      "name = 'z'",
      `n = (${this.#scalar([target], 1)})`,
      `tenant_id = ${OWN}, n = 0`,
      `tenant_id = ${FOREIGN}`,
    );
    return `update ${target} set ${set} where ${where}`;
  }

  /** @param outer aliases of the queries around */
  #select(outer: readonly string[], depth: number, width: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    const any = () => `${this.#pick(...own, ...outer)}.${this.#pick('id', 'name', 'n')}`;
    const aggregate = depth === 2 && this.#chance(0.25);
    const list = Array.from({ length: width }, () =>
      aggregate ? `${this.#pick('count', 'max', 'min')}(${any()})` : any(),
    );
    const where = ` where ${this.#condition(own, outer, depth)}`;
    const limit = !aggregate && this.#chance(0.15) ? ` order by ${list.map((_, i) => i + 1).join(', ')} limit 3` : '';
    const union =
      !limit && depth > 0 && this.#chance(0.08)
        ? ` ${this.#pick('union', 'union all', 'except')} ${this.#select(outer, 0, width)}`
        : '';
    return `select ${list.join(', ')} from ${from}${where}${limit}${union}`;
  }

  #scalar(outer: readonly string[], depth: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    return `select ${this.#pick('count(*)', 'max(n)')} from ${from} where ${this.#condition(own, outer, depth)}`;
  }

  #from(own: string[], outer: readonly string[], depth: number): string {
    let text = this.#table(own, depth);
    while (this.#chance(0.4) && own.length < 3) {
      const before = [...own];
      const kind = this.#pick('join', 'inner join', 'left join', ',');
      text += kind === ',' ? `, ${this.#table(own, depth)}` : ` ${kind} ${this.#table(own, depth)} on `;
      if (kind === ',') continue;
      const joined = own[own.length - 1] as string;
      const equal = `${joined}.tenant_id = ${this.#pick(...before)}.tenant_id`;
      text += this.#chance(0.7) ? equal : this.#condition(own, outer, 1);
      if (this.#chance(0.4)) text += ` and ${joined}.id = ${this.#pick(...before)}.id`;
    }
    return text;
  }

  #table(own: string[], depth: number): string {
    const alias = this.#alias();
    own.push(alias);
    if (depth === 0 || this.#chance(0.8)) return `${this.#pick(...TABLES)} as ${alias}`;
    const inner = this.#alias();
    const columns = this.#pick(
      '*',
      `${inner}.*`,
      `${inner}.tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `${OWN} as tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `${inner}.name as tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `${inner}.name as tenant_id, ${inner}.id, ${inner}.tenant_id, ${inner}.name, ${inner}.n`,
      `${inner}.name as 'tenant_id', ${inner}.*`,
      `${inner}.*, ${inner}.name as tenant_id`,
      `max(${inner}.tenant_id) as tenant_id, max(${inner}.id) as id, ${inner}.name, count(*) as n`,
    );
    const grouped = columns.startsWith('max') ? ` group by ${inner}.name` : '';
    const query = `select ${columns} from ${this.#pick(...TABLES)} as ${inner} where ${this.#condition([inner], [], depth - 1)}${grouped}`;
    const hasFour = columns === '*' || columns.split(',').length === 4;
    const united =
      hasFour && this.#chance(0.3)
        ? ` union all select name, id, tenant_id, n from ${this.#pick(...TABLES)} where tenant_id = ${OWN}`
        : '';
    return `(${query}${united}) as ${alias}`;
  }

  /** Mostly binds, so that enough is accepted; then anything is put around it. */
  #condition(own: readonly string[], outer: readonly string[], depth: number): string {
    const binding = own.map((alias) =>
      this.#bind(
        alias,
        [...own, ...outer].filter((it) => it !== alias),
        depth,
      ),
    );
    const parts = binding.filter(() => this.#chance(0.8));
    if (this.#chance(0.6)) parts.push(this.#predicate(own, outer, depth));
    if (parts.length === 0) parts.push('1 = 1');
    const joined = parts
      .sort(() => this.random() - 0.5)
      .join(` ${this.#pick('and', 'and', 'and', 'and', 'and', 'and', 'or')} `);
    if (this.#chance(0.06)) return `not (${joined})`;
    if (this.#chance(0.06)) return `(${joined}) or ${this.#predicate(own, outer, depth)}`;
    if (this.#chance(0.04))
      return `case when ${joined} then ${this.#pick('1', '0')} else ${this.#pick('1', '0')} end = 1`;
    if (this.#chance(0.06)) return `${this.#pick('', 'not ')}1 between 0 and ${joined}`;
    return this.#chance(0.3) ? `(${joined})` : joined;
  }

  #bind(alias: string, others: readonly string[], depth: number): string {
    const own = Array.from({ length: 12 }, () => OWN);
    const value = this.#pick(...own, FOREIGN, `${alias}.name`, `${alias}.tenant_id`);
    const forms = [
      () => `${alias}.tenant_id = ${value}`,
      () => `${alias}.tenant_id = ${value}`,
      () => `${value} = ${alias}.tenant_id`,
      () => `(${alias}.tenant_id, ${alias}.n) in ((${value}, 1), (${OWN}, 2))`,
      () => `${alias}.tenant_id in (${value})`,
      () => `(${alias}.tenant_id = ${value} and ${alias}.n = 1 or ${alias}.n > 1 and ${alias}.tenant_id = ${OWN})`,
      () =>
        others.length > 0 ? `${alias}.tenant_id = ${this.#pick(...others)}.tenant_id` : `${alias}.tenant_id = ${OWN}`,
      () =>
        depth > 0
          ? `${alias}.tenant_id ${this.#pick('in', 'in', 'not in')} (${this.#member([alias, ...others], depth - 1)})`
          : `${alias}.tenant_id = ${OWN}`,
    ];
    return this.#pick(...forms)();
  }

  #member(outer: readonly string[], depth: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    const tenant = this.#pick(
      `${own[0]}.tenant_id`,
      `${this.#pick(...own)}.tenant_id`,
      `max(${own[0]}.tenant_id)`,
      OWN,
    );
    const query = `select ${tenant} from ${from} where ${this.#condition(own, outer, depth)}`;
    if (this.#chance(0.15)) return `${query} order by 1 limit 1`;
    return this.#chance(0.15)
      ? `${query} union select name from ${this.#pick(...TABLES)} where tenant_id = ${OWN}`
      : query;
  }

  #predicate(own: readonly string[], outer: readonly string[], depth: number): string {
    const any = this.#pick(...own, ...outer);
    const forms = [
      () => `${any}.n ${this.#pick('=', '<', '>')} ${this.#pick('1', '2', '3')}`,
      () => `${any}.name like '${this.#pick('a', 'b')}%'`,
      () => `${any}.id is not null`,
      () => `${any}.n between 1 and 2`,
    ];
    if (depth > 0) {
      const all = [...own, ...outer];
      forms.push(
        () => `${this.#pick('', 'not ')}exists (${this.#select(all, depth - 1, 1)})`,
        () => `${any}.n = (${this.#scalar(all, depth - 1)})`,
        () => `(${any}.tenant_id, '1', 'b', 2) in ${this.#pick(...TABLES)}`,
        () => `${any}.tenant_id ${this.#pick('in', 'not in')} (${this.#member(all, depth - 1)})`,
        () => `${any}.tenant_id ${this.#pick('in', 'not in')} (${this.#member(all, depth - 1)})`,
        () => `${any}.id ${this.#pick('in', 'not in')} (${this.#select(all, depth - 1, 1)})`,
        () =>
          `(${any}.tenant_id, ${any}.id) ${this.#pick('in', 'not in')} (select x.tenant_id, x.id from ${this.#pick(...TABLES)} x where x.n > 0)`,
      );
    }
    return this.#pick(...forms)();
  }
}

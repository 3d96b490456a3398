// What the benchmarks use of pg, which brings no types.
declare module 'pg' {
  export class Client {
    constructor(options: { connectionString: string });
    connect(): Promise<void>;
    query(sql: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
    query(prepared: {
      name: string;
      text: string;
      values: readonly unknown[];
    }): Promise<{ rows: Record<string, unknown>[] }>;
    end(): Promise<void>;
  }
}

import { Migration } from '@mikro-orm/migrations';
import { compareTextByBytes, TABLES_BEFORE } from '../../compare-text-by-bytes.js';

export class Migration20261125130000TextByBytes extends Migration {
  override async up(): Promise<void> {
    for (const sql of await compareTextByBytes(this, TABLES_BEFORE.central)) this.addSql(sql);
  }

  /** The tables are as good for what was there before. */
  override down(): void {}
}

import { type EntityProperty, type Platform, TextType } from '@mikro-orm/core';

/** Text of any length. On MySQL and MariaDB a `text` column ends at 64 KB, and a longer value is refused. */
export class LongTextType extends TextType {
  override getColumnType(prop: EntityProperty, platform: Platform): string {
    // By name: asking for the class would load the MySQL driver into every process.
    const isMySql = /^(MySql|MariaDb)Platform$/.test(platform.constructor.name);
    return isMySql ? 'longtext' : super.getColumnType(prop, platform);
  }
}

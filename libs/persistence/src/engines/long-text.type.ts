import { type EntityProperty, type Platform, TextType } from '@mikro-orm/core';
import { MySqlPlatform } from '@mikro-orm/mysql';

/** Text of any length. On MySQL and MariaDB a `text` column ends at 64 KB, and a longer value is refused. */
export class LongTextType extends TextType {
  override getColumnType(prop: EntityProperty, platform: Platform): string {
    return platform instanceof MySqlPlatform ? 'longtext' : super.getColumnType(prop, platform);
  }
}

import { Migration } from '@mikro-orm/migrations';

export class Migration20261125210000MoveClaims extends Migration {
  override up(): void {
    this.addSql('alter table `placement_move` add column `claim` text null');
  }

  override down(): void {
    this.addSql('alter table `placement_move` drop column `claim`');
  }
}

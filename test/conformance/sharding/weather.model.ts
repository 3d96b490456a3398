import { Cascade, Collection, type Opt, type Ref } from '@mikro-orm/core';
import {
  Embeddable,
  Embedded,
  Entity,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';

/** Where something stands. */
@Embeddable()
export class Position {
  @Property({ type: 'double' })
  latitude!: number;

  @Property({ type: 'double' })
  longitude!: number;
}

/** A weather station. Sharded by continent. */
@Entity({ tableName: 'location' })
export class Location {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 20 })
  continent!: string;

  @Property({ type: 'string', length: 100, nullable: true })
  city?: string | null;

  @Property({ type: 'text', lazy: true, nullable: true })
  notes?: string | null;

  @Embedded(() => Position, { nullable: true })
  position?: Position | null;

  @OneToMany(
    () => Report,
    (report: Report) => report.location,
  )
  readonly reports = new Collection<Report>(this);

  @ManyToMany({ entity: () => Instrument, cascade: [Cascade.PERSIST, Cascade.REMOVE] })
  readonly instruments = new Collection<Instrument>(this);
}

/** Who builds instruments. */
@Entity({ tableName: 'maker' })
export class Maker {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 20 })
  continent!: string;
}

/** What a station measures with. Placed with the station, by the same key. */
@Entity({ tableName: 'instrument' })
export class Instrument {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 20 })
  continent!: string;

  @Property({ type: 'string', length: 100 })
  name!: string;

  @ManyToOne(() => Maker, { nullable: true, cascade: [] })
  maker?: Maker | null;
}

/** One measurement. Follows its station. Its key is the database's, so that shards repeat it. */
@Entity({ tableName: 'report' })
export class Report {
  @PrimaryKey({ type: 'integer' })
  id!: number & Opt;

  @ManyToOne(() => Location, { ref: true })
  location!: Ref<Location>;

  @ManyToOne(() => Quantity, { nullable: true })
  quantity?: Quantity | null;

  @Property({ type: 'decimal', precision: 6, scale: 2, nullable: true })
  temperature?: string | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  reportedAt?: Date | null;
}

/** What is measured. Every shard has all of them. */
@Entity({ tableName: 'quantity' })
export class Quantity {
  @PrimaryKey({ type: 'string', length: 20 })
  id!: string;

  @Property({ type: 'string', length: 20 })
  unit!: string;
}

/** Declares no shard key, refers to nothing, and has a key of the database's. */
@Entity({ tableName: 'orphan' })
export class Orphan {
  @PrimaryKey({ type: 'integer' })
  id!: number & Opt;
}

export const weatherModel = [Location, Position, Maker, Instrument, Quantity, Report, Orphan];
